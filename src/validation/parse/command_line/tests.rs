use serde_json::json;

use super::*;

#[test]
fn argparse_is_read() {
    let code = "import argparse\nimport yaml.nodes\nparser = argparse.ArgumentParser()\n\
        parser.add_argument('source')\nparser.add_argument('rest', nargs='*', type=int)\n\
        parser.add_argument('-o', '--out-file', required=True, help='Where to')\n\
        parser.add_argument('--size', type=float, default=1.5, choices=[1.5, 2.5])\n\
        parser.add_argument('--quiet', action='store_true')\nparser.add_argument('--no-color', dest='color', action='store_false')\n\
        parser.add_argument('--tag', action='append')\nparser.add_argument(f'--{1}')\n\n\
        if __name__ == '__main__':\n    args = parser.parse_args()\n    main(args)\n";
    let line = command_line(code).unwrap();
    let read: Vec<_> = line
        .arguments
        .iter()
        .map(|argument| (&*argument.name, argument.form, argument.kind, argument.is_many, argument.is_required))
        .collect();
    let (place, option) = (Form::Place, Form::Option);
    assert_eq!(
        read,
        [
            ("source", place, ParameterType::String, false, true),
            ("rest", place, ParameterType::Array, true, false),
            ("out_file", option, ParameterType::String, false, true),
            ("size", option, ParameterType::Number, false, false),
            ("quiet", Form::Flag { says: true }, ParameterType::Boolean, false, false),
            ("color", Form::Flag { says: false }, ParameterType::Boolean, false, false),
            ("tag", option, ParameterType::Array, true, false),
        ]
    );
    assert_eq!(line.arguments[3].choices, [json!(1.5), json!(2.5)]);
    assert_eq!(line.sets, ["args"]);
    assert!(line.imports.contains("yaml") && line.is_parsed && !line.has_subcommands);
    let (start, end) = line.main.unwrap();
    assert_eq!(&code[start..end], "args = parser.parse_args()\n    main(args)");
}

#[test]
fn click_is_read() {
    let code = "import click\n\n@click.command()\n@click.argument('source')\n@click.option('--count', '-c', type=int, default=3)\n\
        @click.option('--loud/--soft')\n@click.option('--kind', type=click.Choice(['a', 'b']))\ndef main(source, count):\n    pass\n";
    let line = command_line(code).unwrap();
    let read: Vec<_> = line.arguments.iter().map(|argument| (&*argument.name, argument.form, argument.kind)).collect();
    assert_eq!(
        read,
        [
            ("source", Form::Place, ParameterType::String),
            ("count", Form::Option, ParameterType::Integer),
            ("loud", Form::Flag { says: true }, ParameterType::Boolean),
            ("kind", Form::Option, ParameterType::String),
        ]
    );
    assert_eq!(line.arguments[3].choices, [json!("a"), json!("b")]);
}

#[test]
fn places_are_read() {
    let code = "import sys\nif len(sys.argv) < 2:\n    sys.exit('usage')\npath = Path(sys.argv[1])\n\
        mode = sys.argv[2] if len(sys.argv) > 2 else 'a'\nif len(sys.argv) > 3:\n    print(sys.argv[3])\n";
    let line = command_line(code).unwrap();
    let read: Vec<_> = line.arguments.iter().map(|argument| (&*argument.name, argument.is_required)).collect();
    assert_eq!(read, [("path", true), ("mode", false), ("argument_3", false)]);
    assert_eq!(line.main, None);
    assert!(command_line("def (:\n").is_err());
}
