//! Recall: what is found, in which order, and when nothing is.

use serde_json::{Value, json};

use crate::common::{Home, RawClient};

fn remember(client: &mut RawClient, name: &str, description: &str, steps: &[&str]) {
    client.ok("remember_procedure", json!({"name": name, "description": description, "steps": steps}));
}

fn found(client: &mut RawClient, query: &str) -> Vec<(String, f64)> {
    let answer = client.ok("recall_procedures", json!({"query": query}));
    let name = |found: &Value| (found["name"].as_str().unwrap().to_owned(), found["score"].as_f64().unwrap());
    answer["procedures"].as_array().unwrap().iter().map(name).collect()
}

fn filled(home: &Home) -> RawClient {
    let mut client = home.start();
    for (name, description, steps) in [
        ("backup_database", "Dump the production database to storage", &["Run the dump", "Upload it"][..]),
        ("summarise_csv", "Compute the mean of each column of a CSV file", &["Read the file", "Write a table"]),
        ("renew_certificate", "Renew the TLS certificate of the web server", &["Request it", "Reload nginx"]),
        ("zh_backup", "备份生产数据库并验证备份文件", &["运行导出命令", "上传到对象存储"]),
        ("ja_invoice", "取引先に請求書を送付する", &["金額を確認する", "メールで送る"]),
        ("ko_report", "매주 월요일에 판매 보고서를 작성한다", &["매출을 모은다", "팀에 보낸다"]),
        ("th_backup", "สำรองข้อมูลลูกค้าทุกคืน", &["ส่งออกข้อมูล", "ตรวจสอบไฟล์สำรอง"]),
    ] {
        remember(&mut client, name, description, steps);
    }
    client
}

#[test]
fn languages_without_spaces_are_found_and_apart() {
    let home = Home::new();
    let mut client = filled(&home);
    for (query, name) in [
        ("数据库备份", "zh_backup"),
        ("备份", "zh_backup"),
        ("怎样备份数据库", "zh_backup"),
        ("請求書を送る", "ja_invoice"),
        ("請求書", "ja_invoice"),
        ("판매 보고서를 작성하기", "ko_report"),
        ("매출", "ko_report"),
        ("PostgreSQL 数据库备份", "zh_backup"),
        ("請求書 PDF を送る", "ja_invoice"),
        ("导出", "zh_backup"),
        ("备", "zh_backup"),
        ("보고서", "ko_report"),
        ("สำรองข้อมูล", "th_backup"),
    ] {
        let found = found(&mut client, query);
        assert_eq!(found.first().map(|(name, _)| name.as_str()), Some(name), "{query}: {found:?}");
    }
    for query in ["人生的意义是什么", "明日の天気はどうですか", "오늘 저녁에 뭐 먹지", "ทำไมท้องฟ้าเป็นสีฟ้า"]
    {
        let found = found(&mut client, query);
        assert!(found.is_empty(), "{query}: {found:?}");
    }
}

#[test]
fn a_mistyped_word_is_seen_through() {
    let home = Home::new();
    let mut client = filled(&home);
    for (query, name) in [
        ("dump the databse", "backup_database"),
        ("renew the certifciate", "renew_certificate"),
        ("upload the dmup", "backup_database"),
        ("certi", "renew_certificate"),
        // The index knows it as another form of `certificate`; no text has it.
        ("certific", "renew_certificate"),
        ("certifica", "renew_certificate"),
    ] {
        let found = found(&mut client, query);
        assert_eq!(found.first().map(|(name, _)| name.as_str()), Some(name), "{query}: {found:?}");
    }
}

#[test]
fn a_question_that_nothing_fits_is_not_answered() {
    let home = Home::new();
    let mut client = filled(&home);
    for query in [
        "what is the meaning of life",
        "who won the world cup in 1998",
        "how tall is mount everest",
        "how do i bake sourdough bread",
        "tell me a joke",
    ] {
        let found = found(&mut client, query);
        assert!(found.is_empty(), "{query}: {found:?}");
    }
    let found = found(&mut client, "mean of each column");
    assert_eq!(found[0].0, "summarise_csv", "{found:?}");
    assert!(found[0].1 > 0.8, "{found:?}");
}

#[test]
fn what_succeeds_comes_first_among_equals_and_never_before_what_fits_better() {
    let home = Home::new();
    let mut client = home.start();
    for (name, description, code) in [
        ("weigh_a", "Weigh the parcel", "def weigh_a():\n    raise ValueError(\"no\")\n"),
        ("weigh_b", "Weigh the parcel", "def weigh_b():\n    return 1\n"),
        ("weigh_c", "Weigh the parcel with the old kitchen scale", "def weigh_c():\n    raise ValueError(\"no\")\n"),
    ] {
        let fields = json!({"name": name, "description": description, "steps": ["Do it"], "code": code});
        client.ok("remember_procedure", fields);
    }
    for name in ["weigh_a", "weigh_b", "weigh_c"] {
        for _ in 0..3 {
            client.call("execute_procedure", json!({"procedure_id": name}));
        }
    }
    let names = |found: Vec<(String, f64)>| found.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(found(&mut client, "weigh the parcel"))[..2], ["weigh_b", "weigh_a"]);
    assert_eq!(names(found(&mut client, "weigh with the kitchen scale"))[0], "weigh_c");
}
