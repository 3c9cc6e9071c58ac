//! The program that works in each process: it takes the code, executes it, and asks for what that calls.

use serde_json::{Value, json};

use crate::domain::host_module::{self, Definition};

/// The driver, which is one program in several files.
pub const SOURCE: &str = concat!(
    include_str!("driver/wire.py"),
    include_str!("driver/values.py"),
    include_str!("driver/clock.py"),
    include_str!("driver/host.py"),
    include_str!("driver/loop.py"),
    include_str!("driver/main.py"),
);

/// What the driver makes the module `repertoire` of.
pub fn module() -> Value {
    let (mut functions, mut classes) = (Vec::new(), Vec::new());
    for definition in host_module::definitions() {
        match definition {
            Definition::Function(function) => functions.push(json!({
                "name": function.name,
                "signature": function.text,
                "doc": function.documentation.trim(),
            })),
            Definition::Class(class) => {
                let fields = class.fields.iter().filter_map(|field| Some(field.split_once(':')?.0.trim()));
                classes.push(json!({"name": class.name, "fields": fields.collect::<Vec<_>>()}));
            }
        }
    }
    json!({"doc": "What a procedure can reach outside its process.", "functions": functions, "classes": classes})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_has_what_the_stub_has() {
        let module = module();
        let names = |of: &str| -> Vec<String> {
            let list = module[of].as_array().unwrap();
            list.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
        };
        assert!(names("functions").contains(&"run_command".to_owned()));
        assert_eq!(names("classes"), ["CommandResult", "HttpResponse"]);
        assert_eq!(module["classes"][0]["fields"], json!(["stdout", "stderr", "exit_code"]));
        assert_eq!(names("functions").len() + names("classes").len(), host_module::names().len());
    }
}
