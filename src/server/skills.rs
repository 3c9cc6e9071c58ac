//! The Skills extension (`io.modelcontextprotocol/skills`): procedures in use as Agent Skills, under
//! `skill://repertoire/<id>/<name>/`. What is in a folder is what `repertoire export --skills` writes.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rmcp::{
    ErrorData,
    model::{
        DIRECTORY_MIME_TYPE, GetSkillResult, ListResourcesResult, ListSkillsResult, Resource, ResourceContents, Skill,
        SkillFrontmatter, SkillResource, SkillResources,
    },
};
use serde_json::Value;

use crate::{
    domain::{Hinted as _, ProcedureFilter, Status, skill_file::SkillFile},
    library::{Library, LibraryError, ProcedureRef, Services, SkillFolder},
};

const PREFIX: &str = "skill://repertoire/";
const FILE_NAME: &str = "SKILL.md";
/// Skills in one answer: each is written or read for it.
const PAGE: u32 = 50;
/// What stands in an address as it is.
const IN_ADDRESS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'.').remove(b'~');

/// A page of them.
///
/// # Errors
/// When the cursor is none of ours, or the procedures can't be read.
pub async fn list(services: &Services, cursor: Option<String>) -> Result<ListSkillsResult, ErrorData> {
    let offset: u32 = match cursor {
        None => 0,
        Some(cursor) => cursor.parse().map_err(|_| {
            ErrorData::invalid_params("`cursor` is none that skills/list gave; leave it out to begin anew", None)
        })?,
    };
    let (skills, next) = page(services, offset, PAGE).await.map_err(|error| failure(&error))?;
    let mut listed = ListSkillsResult::with_all_items(skills);
    listed.next_cursor = next.map(|offset| offset.to_string());
    Ok(listed)
}

/// Some of them, and where the next begin.
async fn page(services: &Services, offset: u32, most: u32) -> Result<(Vec<Skill>, Option<u32>), LibraryError> {
    let read = move |library: &Library| {
        let filter = ProcedureFilter { status: Some(Status::Active), ..ProcedureFilter::default() };
        let (rows, total) = library.list(&filter, most, offset)?;
        let end = offset.saturating_add(most);
        let next = (u64::from(end) < total && !rows.is_empty()).then_some(end);
        let enabled = rows.into_iter().filter(|row| row.definition.enabled);
        let skills = enabled.map(|row| {
            let folder = library.export_skills(&[ProcedureRef::Id(row.id)])?.into_iter().next();
            Ok(folder.and_then(|folder| skill(row.id, &folder)))
        });
        Ok((skills.filter_map(Result::transpose).collect::<Result<_, LibraryError>>()?, next))
    };
    services.blocking(read).await
}

/// The `SKILL.md` of each of a page of procedures, as resources, and where the next page begins.
///
/// # Errors
/// When the procedures can't be read.
pub async fn resources(
    services: &Services,
    offset: u32,
    most: u32,
) -> Result<(Vec<Resource>, Option<u32>), LibraryError> {
    let (skills, next) = page(services, offset, most).await?;
    let resource = |skill: Skill| {
        let resource = Resource::new(skill.uri, skill.frontmatter.name);
        resource.with_description(skill.frontmatter.description).with_mime_type(mime_of(FILE_NAME))
    };
    Ok((skills.into_iter().map(resource).collect(), next))
}

/// The one whose `SKILL.md` has this address.
///
/// # Errors
/// When there is none.
pub async fn get(services: &Services, uri: &str) -> Result<GetSkillResult, ErrorData> {
    let found = match Place::read(uri).filter(|place| place.path == FILE_NAME) {
        Some(place) => folder(services, &place).await?,
        None => None,
    };
    let skill = found.and_then(|(id, folder)| skill(id, &folder)).filter(|skill| skill.uri == uri);
    skill.map(GetSkillResult::new).ok_or_else(|| missing(uri))
}

/// What is directly in a directory of one.
///
/// # Errors
/// When there is no such directory.
pub async fn directory(services: &Services, uri: &str) -> Result<ListResourcesResult, ErrorData> {
    let place = Place::read(&format!("{}/", uri.trim_end_matches('/')));
    let Some(place) = place else { return Err(missing(uri)) };
    let Some((id, folder)) = folder(services, &place).await? else { return Err(missing(uri)) };
    // Its own path is empty, or ends with a slash.
    let mut children = BTreeMap::new();
    for file in &folder.files {
        let Some(rest) = file.path.strip_prefix(&place.path).filter(|rest| !rest.is_empty()) else { continue };
        let (name, is_directory) = rest.split_once('/').map_or((rest, false), |(name, _)| (name, true));
        let child = Resource::new(address(id, &place.name, &format!("{}{name}", place.path)), name);
        let child = if is_directory {
            child.with_mime_type(DIRECTORY_MIME_TYPE)
        } else {
            child.with_mime_type(mime_of(&file.path)).with_size(file.bytes.len() as u64)
        };
        children.entry(name.to_owned()).or_insert(child);
    }
    if children.is_empty() {
        return Err(missing(uri));
    }
    Ok(ListResourcesResult::with_all_items(children.into_values().collect()))
}

/// The content of a file of one; `None` where it is the address of something else.
pub async fn read(services: &Services, uri: &str) -> Option<Result<Vec<ResourceContents>, LibraryError>> {
    let place = Place::read(uri)?;
    let id = place.id;
    let read = services.blocking(move |library| library.export_skills(&[ProcedureRef::Id(id)])).await;
    let folders = match read {
        Ok(folders) => folders,
        Err(LibraryError::ProcedureNotFound { .. } | LibraryError::ProcedureDeleted(_)) => return None,
        Err(error) => return Some(Err(error)),
    };
    let folder = folders.into_iter().next().filter(|folder| name_of(folder) == place.name)?;
    let file = folder.files.into_iter().find(|file| file.path == place.path)?;
    let mime = mime_of(&file.path);
    Some(Ok(vec![match String::from_utf8(file.bytes) {
        // Not every client keeps a text with a null in it.
        Ok(text) if !text.contains('\0') => ResourceContents::text(text, uri).with_mime_type(mime),
        Ok(text) => ResourceContents::blob(BASE64_STANDARD.encode(text), uri).with_mime_type(mime),
        Err(binary) => ResourceContents::blob(BASE64_STANDARD.encode(binary.as_bytes()), uri).with_mime_type(mime),
    }]))
}

/// Where something of a skill is.
struct Place {
    id: i64,
    /// The name of the skill.
    name: String,
    /// Below its folder.
    path: String,
}

impl Place {
    fn read(uri: &str) -> Option<Self> {
        let (id, rest) = uri.strip_prefix(PREFIX)?.split_once('/')?;
        let (name, path) = rest.split_once('/')?;
        let decoded = |text: &str| percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned);
        Some(Self { id: id.parse().ok()?, name: decoded(name)?, path: decoded(path)? })
    }
}

async fn folder(services: &Services, place: &Place) -> Result<Option<(i64, SkillFolder)>, ErrorData> {
    let id = place.id;
    let read = move |library: &Library| {
        let row = library.procedure(&ProcedureRef::Id(id))?;
        let is_in_use = row.definition.status == Status::Active && row.definition.enabled;
        if is_in_use { library.export_skills(&[ProcedureRef::Id(id)]) } else { Ok(Vec::new()) }
    };
    match services.blocking(read).await {
        Ok(folders) => {
            let folder = folders.into_iter().next().filter(|folder| name_of(folder) == place.name);
            Ok(folder.map(|folder| (id, folder)))
        }
        Err(LibraryError::ProcedureNotFound { .. } | LibraryError::ProcedureDeleted(_)) => Ok(None),
        Err(error) => Err(failure(&error)),
    }
}

fn front_of(folder: &SkillFolder) -> Option<serde_json::Map<String, Value>> {
    let file = folder.files.iter().find(|file| file.path == FILE_NAME)?;
    SkillFile::read(std::str::from_utf8(&file.bytes).ok()?).ok().map(|read| read.front.json)
}

/// As its `SKILL.md` has it, which need not be as its folder is called.
fn name_of(folder: &SkillFolder) -> String {
    let front = front_of(folder).and_then(|mut front| front.remove("name"));
    front.and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_else(|| folder.name.clone())
}

/// What is said of one. What came in without all that the protocol asks for is no skill of it.
fn skill(id: i64, folder: &SkillFolder) -> Option<Skill> {
    let mut front = front_of(folder)?;
    let mut text = |key: &str| front.remove(key)?.as_str().map(str::to_owned);
    let (name, description) = (text("name")?, text("description")?);
    let files = folder.files.iter().map(|file| SkillResource::from_bytes(address(id, &name, &file.path), &file.bytes));
    let files = SkillResources::Files(files.collect());
    let uri = address(id, &name, FILE_NAME);
    let mut frontmatter = SkillFrontmatter::new(name, description);
    frontmatter.extra = front;
    let skill = Skill::new(uri, frontmatter, files);
    match skill.validate() {
        Ok(()) => Some(skill),
        Err(error) => {
            tracing::debug!(procedure = folder.procedure, %error, "a procedure is not served as a skill");
            None
        }
    }
}

fn address(id: i64, name: &str, path: &str) -> String {
    let parts = std::iter::once(name).chain(path.split('/'));
    let encoded: Vec<String> = parts.map(|part| utf8_percent_encode(part, IN_ADDRESS).to_string()).collect();
    format!("{PREFIX}{id}/{}", encoded.join("/"))
}

fn mime_of(path: &str) -> String {
    mime_guess::from_path(path)
        .first()
        .map_or_else(|| "application/octet-stream".to_owned(), |mime| mime.essence_str().to_owned())
}

fn missing(uri: &str) -> ErrorData {
    let shown: String = uri.chars().take(100).collect();
    ErrorData::invalid_params(
        format!("there is nothing of a skill at `{shown}`; skills/list shows what there is"),
        None,
    )
}

fn failure(error: &LibraryError) -> ErrorData {
    ErrorData::internal_error(error.in_full(), None)
}
