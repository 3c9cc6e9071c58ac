//! The index of procedures: their current definition and code.

use rusqlite::{OptionalExtension, Row, named_params, params};

use super::{Reader, StorageError, Writer, json::Json};
use crate::domain::{
    Definition, Procedure, ProcedureFilter, Status, VersionNumber, confidence::posterior, forms, name::slugify,
};

/// What a commit made of a procedure.
#[derive(Debug, Clone)]
pub struct ProcedureUpdate<'a> {
    /// What the row is called: the definition may be of a time at which the procedure had another name.
    pub row: &'a str,
    pub definition: &'a Definition,
    pub code: Option<&'a str>,
    /// The packages that the code needs.
    pub lock: Option<&'a str>,
    pub version: VersionNumber,
    /// The version that brought the code.
    pub code_version: Option<VersionNumber>,
    /// What the checks give the code.
    pub code_prior: Option<f64>,
    /// Seconds since 1970.
    pub at: i64,
    /// Now, in milliseconds since 1970.
    pub indexed_at: i64,
}

/// What `:user` may read: `Definition::may_be_read_by`.
pub(super) const VISIBLE: &str = "(owner IS NULL OR is_shared OR owner = :user)";
/// What `:user` may change: `Definition::may_be_changed_by`.
pub(super) const OWNED: &str = "(owner IS NULL OR owner = :user)";
/// What counts among the procedures of `:user`: `Definition::is_own_of`.
pub(super) const OWN: &str = "(owner = :user OR (owner IS NULL AND NOT is_shared))";

pub(super) const COLUMNS: &str = "id, definition, code, lock, version, code_version, code_prior, code_confidence, created_at, updated_at, \
                                  deleted_at, successes, failures, uses, last_run_at, \
                                  EXISTS (SELECT 1 FROM artifacts WHERE memory_type = 'procedure' \
                                  AND memory_id = procedures.name) AS has_artifacts, \
                                  EXISTS (SELECT 1 FROM broken WHERE broken.name = procedures.name) AS is_broken";

/// The row, unless what is in it can't be read.
pub(super) fn readable<T>(row: rusqlite::Result<T>) -> Option<rusqlite::Result<T>> {
    match row {
        Err(error @ (rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::InvalidColumnType(..))) => {
            tracing::warn!(%error, "a row of the index can't be read");
            None
        }
        row => Some(row),
    }
}

pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Procedure> {
    Ok(Procedure {
        id: row.get("id")?,
        definition: row.get::<_, Json<Definition>>("definition")?.0,
        code: row.get("code")?,
        lock: row.get("lock")?,
        version: row.get("version")?,
        code_version: row.get("code_version")?,
        code_prior: row.get("code_prior")?,
        code_confidence: row.get("code_confidence")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        deleted_at: row.get("deleted_at")?,
        successes: row.get("successes")?,
        failures: row.get("failures")?,
        uses: row.get("uses")?,
        last_run_at: row.get("last_run_at")?,
        has_artifacts: row.get("has_artifacts")?,
        is_broken: row.get("is_broken")?,
    })
}

impl Reader<'_> {
    /// The procedure with this local handle, also a removed one.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn procedure(&self, id: i64) -> Result<Option<Procedure>, StorageError> {
        let sql = format!("SELECT {COLUMNS} FROM procedures WHERE id = ?1");
        self.0.prepare_cached(&sql)?.query_row([id], from_row).optional().map_err(Into::into)
    }

    /// The procedure with this name, also a removed one.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn procedure_named(&self, name: &str) -> Result<Option<Procedure>, StorageError> {
        let sql = format!("SELECT {COLUMNS} FROM procedures WHERE name = ?1");
        self.0.prepare_cached(&sql)?.query_row([name], from_row).optional().map_err(Into::into)
    }

    /// The procedures that match, and how many there are in all.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn list_procedures(
        &self,
        filter: &ProcedureFilter<'_>,
        limit: u32,
        offset: u32,
    ) -> Result<(Vec<Procedure>, u64), StorageError> {
        let mut conditions = vec!["deleted_at IS NULL"];
        if filter.category.is_some() {
            conditions.push("category IN (SELECT value FROM json_each(:category))");
        }
        if filter.tag.is_some() {
            conditions.push(
                "id IN (SELECT procedure_id FROM procedure_tags WHERE tag IN (SELECT value FROM json_each(:tag)))",
            );
        }
        if filter.status.is_some() {
            conditions.push("status = :status");
        }
        if filter.min_confidence.is_some() {
            conditions.push("code_confidence >= :confidence");
        }
        if filter.has_template {
            conditions.push("json_extract(definition, '$.template') IS NOT NULL");
        }
        if filter.earned.is_some() {
            conditions.push(
                "enabled AND code IS NOT NULL AND (json_extract(definition, '$.pinned') \
                 OR (code_confidence >= :earned_confidence AND successes + failures >= :earned_executions))",
            );
        }
        if filter.user.is_some() {
            conditions.push(if filter.own_only { OWN } else { VISIBLE });
        }
        let order = if filter.earned.is_some() {
            "uses DESC, code_confidence DESC, id"
        } else if filter.min_confidence.is_some() {
            "code_confidence DESC, uses DESC, id"
        } else {
            "updated_at DESC, id DESC"
        };
        let conditions = conditions.join(" AND ");
        let status = filter.status.map(Status::as_str);
        let mut parameters: Vec<(&str, &dyn rusqlite::ToSql)> = Vec::new();
        let category = filter.category.map(|category| Json([forms(category), vec![slugify(category)]].concat()));
        let tag = filter.tag.map(|tag| Json(forms(tag)));
        if let Some(category) = &category {
            parameters.push((":category", category));
        }
        if let Some(tag) = &tag {
            parameters.push((":tag", tag));
        }
        if let Some(status) = &status {
            parameters.push((":status", status));
        }
        if let Some(confidence) = &filter.min_confidence {
            parameters.push((":confidence", confidence));
        }
        if let Some(earned) = &filter.earned {
            parameters.push((":earned_confidence", &earned.confidence));
            parameters.push((":earned_executions", &earned.executions));
        }
        if let Some(user) = &filter.user {
            parameters.push((":user", user));
        }
        let total = self
            .0
            .prepare_cached(&format!("SELECT count(*) FROM procedures WHERE {conditions}"))?
            .query_row(&parameters[..], |row| row.get(0))?;
        parameters.push((":limit", &limit));
        parameters.push((":offset", &offset));
        let sql =
            format!("SELECT {COLUMNS} FROM procedures WHERE {conditions} ORDER BY {order} LIMIT :limit OFFSET :offset");
        let mut statement = self.0.prepare_cached(&sql)?;
        Ok((statement.query_map(&parameters[..], from_row)?.collect::<Result<_, _>>()?, total))
    }

    /// The names with letters beyond ASCII, also of removed procedures: only they can have another form.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn names_beyond_ascii(&self) -> Result<Vec<String>, StorageError> {
        let sql = "SELECT name FROM procedures WHERE name GLOB '*[^ -~]*'";
        Ok(self.0.prepare_cached(sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// The names of all procedures that `user` may read and that are not removed.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn procedure_names(&self, user: &str) -> Result<Vec<String>, StorageError> {
        let sql = format!("SELECT name FROM procedures WHERE deleted_at IS NULL AND {VISIBLE} ORDER BY name");
        let mut statement = self.0.prepare_cached(&sql)?;
        Ok(statement.query_map(named_params! {":user": user}, |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// The categories of what `user` may read.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn categories(&self, user: &str) -> Result<Vec<String>, StorageError> {
        let sql = format!("SELECT DISTINCT category FROM procedures WHERE deleted_at IS NULL AND {VISIBLE}");
        let mut statement = self.0.prepare_cached(&sql)?;
        Ok(statement.query_map(named_params! {":user": user}, |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// Whether there is anything that `user` does not own.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn has_other_owners(&self, user: &str) -> Result<bool, StorageError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM procedures WHERE owner < ?1) \
                   OR EXISTS (SELECT 1 FROM procedures WHERE owner > ?1)";
        Ok(self.0.prepare_cached(sql)?.query_row([user], |row| row.get(0))?)
    }

    /// Every procedure, also those that are removed, in the order of their latest changes; but for those that left their name
    /// to others, and those whose row can't be read.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn all_procedures(&self) -> Result<Vec<Procedure>, StorageError> {
        let mut statement = self
            .0
            .prepare(&format!("SELECT {COLUMNS} FROM procedures WHERE instr(name, '#') = 0 ORDER BY updated_at, id"))?;
        Ok(statement.query_map([], from_row)?.filter_map(readable).collect::<Result<_, _>>()?)
    }

    /// How many procedures there are that are not removed.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn procedure_count(&self) -> Result<u64, StorageError> {
        Ok(self
            .0
            .prepare_cached("SELECT count(*) FROM procedures WHERE deleted_at IS NULL")?
            .query_row([], |row| row.get(0))?)
    }
}

impl Writer<'_> {
    /// Adds the procedure or brings it up to date, and returns its local handle. A removed one of that name lives
    /// again, with its handle, versions and stats. Its confidence follows with [`Self::add_version`].
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn put_procedure(&self, update: &ProcedureUpdate<'_>) -> Result<i64, StorageError> {
        let definition = update.definition;
        let id: i64 = self
            .0
            .0
            .prepare_cached(
                "INSERT INTO procedures (name, category, description, status, enabled, definition, code, version, \
                 code_version, code_prior, created_at, updated_at, owner, is_shared, lock) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, ?12, ?13, ?14) \
                 ON CONFLICT (name) DO UPDATE SET category = ?2, description = ?3, status = ?4, enabled = ?5, \
                 definition = ?6, code = ?7, version = ?8, code_version = ?9, code_prior = ?10, updated_at = ?11, \
                 owner = ?12, is_shared = ?13, lock = ?14, deleted_at = NULL RETURNING id",
            )?
            .query_row(
                params![
                    update.row,
                    definition.category,
                    definition.description,
                    definition.status.as_str(),
                    definition.enabled,
                    Json(definition),
                    update.code,
                    update.version,
                    update.code_version,
                    update.code_prior,
                    update.at,
                    definition.owner,
                    definition.is_shared,
                    update.lock,
                ],
                |row| row.get(0),
            )?;
        self.0.0.prepare_cached("DELETE FROM procedure_tags WHERE procedure_id = ?1")?.execute([id])?;
        let mut insert =
            self.0.0.prepare_cached("INSERT OR IGNORE INTO procedure_tags (tag, procedure_id) VALUES (?1, ?2)")?;
        for tag in &definition.tags {
            insert.execute(params![tag, id])?;
        }
        self.index_for_search(id, definition)?;
        self.index_former_names(id, definition)?;
        self.index_trigger(id, definition, update.indexed_at)?;
        Ok(id)
    }

    /// Sets the confidence in the current code to its prior, moved by what this code has earned, in whichever versions.
    pub(super) fn move_confidence(&self, id: i64) -> Result<(), StorageError> {
        let (prior, successes, failures): (Option<f64>, u64, u64) = self
            .0
            .0
            .prepare_cached(
                "SELECT code_prior, coalesce(earned.successes, 0), coalesce(earned.failures, 0) FROM procedures \
                 LEFT JOIN versions ON versions.procedure_id = procedures.id AND versions.version = procedures.version \
                 LEFT JOIN code_totals AS earned ON earned.procedure_id = procedures.id \
                 AND earned.code_blob = versions.code_blob WHERE procedures.id = ?1",
            )?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        self.0
            .0
            .prepare_cached("UPDATE procedures SET code_confidence = ?2 WHERE id = ?1")?
            .execute(params![id, prior.map(|prior| posterior(prior, successes, failures))])?;
        Ok(())
    }

    /// Takes back that the procedure was marked as removed: it is as it was.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn revive(&self, procedure: &Procedure, now: i64) -> Result<(), StorageError> {
        let (id, definition) = (procedure.id, &procedure.definition);
        self.0.0.prepare_cached("UPDATE procedures SET deleted_at = NULL WHERE id = ?1")?.execute([id])?;
        let mut insert =
            self.0.0.prepare_cached("INSERT OR IGNORE INTO procedure_tags (tag, procedure_id) VALUES (?1, ?2)")?;
        for tag in &definition.tags {
            insert.execute(params![tag, id])?;
        }
        self.index_for_search(id, definition)?;
        self.index_former_names(id, definition)?;
        self.index_trigger(id, definition, now)
    }

    /// Marks the procedure as removed. Its versions and runs stay.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn mark_deleted(&self, id: i64, at: i64) -> Result<(), StorageError> {
        self.0.0.prepare_cached("UPDATE procedures SET deleted_at = ?2 WHERE id = ?1")?.execute(params![id, at])?;
        self.remove_trigger(id)?;
        self.remove_former_names(id)?;
        self.remove_from_search(id)
    }

    /// Forgets the index, so that it can be rebuilt from the history. Local handles, runs and their totals stay, and so do
    /// schedules, which would miss ticks otherwise.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn clear_index(&self, at: i64) -> Result<(), StorageError> {
        self.0.0.execute_batch(
            "DELETE FROM versions; DELETE FROM procedure_search; DELETE FROM search_words; DELETE FROM search_spellings; \
             DELETE FROM procedure_tags; \
             DELETE FROM triggers; DELETE FROM broken; DELETE FROM former_names; DELETE FROM meta WHERE key = 'indexed_commit';",
        )?;
        self.0.0.execute("UPDATE procedures SET deleted_at = ?1 WHERE deleted_at IS NULL", [at])?;
        Ok(())
    }
}
