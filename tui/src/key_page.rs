//! The table of actions as a page and as a key map file.

use std::fmt::Write as _;

use crate::action::{BINDINGS, Binding, Scope};
use crate::key::Key;

/// Where a binding holds, in words.
fn place(binding: &Binding) -> &'static str {
    match binding.scope {
        Scope::Everywhere => "everywhere",
        Scope::Browsing => "everywhere but Review",
        Scope::On(screen) => screen.name(),
    }
}

/// A key map file with every action and its usual keys, to change.
pub fn key_map_file() -> String {
    let mut file = String::from(
        "# Keys of safelight's terminal interface: the name of an action and the keys it\n\
         # has instead of its usual ones. Lines that are left out or begin with # change\n\
         # nothing. Keys are written as a character, Enter, Esc, Tab, S-Tab, Backspace,\n\
         # Up, Down, Left, Right, Home, End, PageUp, PageDown, Space, F1 to F12; C- is\n\
         # Ctrl and M- is Alt before one of them.\n",
    );
    let mut before = "";
    for binding in BINDINGS {
        let place = place(binding);
        if place != before {
            let _ = writeln!(file, "\n# {place}");
            before = place;
        }
        let keys: Vec<String> = binding.keys.iter().map(|key| format!("{:?}", key.to_string())).collect();
        let line = format!("# {} = [{}]", binding.name, keys.join(", "));
        let _ = writeln!(file, "{line:<44}  # {}", binding.help);
    }
    file
}

/// Every action with its usual keys, in Markdown: the text of `tui/KEYS.md`.
pub fn key_page() -> String {
    let mut page = String::from(
        "# Keys of the terminal interface\n\n\
         Made from the table of actions; `?` shows the same inside the program, with the\n\
         keys that are in force. `safelight tui --print-keys` writes a key map file to\n\
         change, `--keys FILE` or `~/.config/safelight/keys.toml` is read.\n\n\
         | Keys | What it does | Where | Name |\n| --- | --- | --- | --- |\n",
    );
    for binding in BINDINGS {
        let keys: Vec<String> = binding.keys.iter().map(|key| code(*key)).collect();
        let _ = writeln!(
            page,
            "| {} | {} | {} | `{}` |",
            keys.join(" "),
            binding.help,
            place(binding),
            binding.name
        );
    }
    page
}

/// A key in Markdown, inside a table.
fn code(key: Key) -> String {
    let text = key.to_string().replace('|', "\\|");
    if text == "`" { "`` ` ``".to_owned() } else { format!("`{text}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `INSTA_UPDATE=always` writes the page anew, as it does snapshots.
    #[test]
    fn the_page_is_the_table() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/KEYS.md");
        if std::env::var("INSTA_UPDATE").is_ok_and(|value| value == "always") {
            std::fs::write(file, key_page()).expect("it can be written");
        }
        let page = std::fs::read_to_string(file).expect("tui/KEYS.md");
        assert_eq!(page, key_page(), "tui/KEYS.md is old; INSTA_UPDATE=always writes it anew");
    }

    #[test]
    fn the_key_map_file_names_every_action_and_reads_back() {
        let file = key_map_file();
        for binding in BINDINGS {
            let line = file.lines().find(|line| line.starts_with(&format!("# {} = [", binding.name)));
            let line = line.unwrap_or_else(|| panic!("{} is missing", binding.name));
            let keys = line.split('"').skip(1).step_by(2).take(binding.keys.len());
            let keys: Vec<Key> = keys.map(|key| key.parse().expect("a key")).collect();
            assert_eq!(keys, binding.keys, "{line}");
        }
    }
}
