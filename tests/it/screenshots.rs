//! Pictures of the screens for the README: the program on a pseudo-terminal, and
//! what is on its screen as SVG. `make screenshots` runs it on the repository that
//! `make demo` leaves; it is ignored because that takes training.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use vt100::Color;

use crate::pty::Pty;
use crate::support::Bench;

const SIZE: (u16, u16) = (120, 36);
/// Pixels of a cell.
const CELL: (u32, u32) = (9, 18);
const FOREGROUND: [u8; 3] = [0xd8, 0xd8, 0xd8];
const BACKGROUND: [u8; 3] = [0x14, 0x14, 0x18];
/// The sixteen colours of the picture's terminal.
const SIXTEEN: [[u8; 3]; 16] = [
    [0x14, 0x14, 0x18],
    [0xe0, 0x6c, 0x75],
    [0x7c, 0xc3, 0x79],
    [0xe5, 0xc0, 0x5b],
    [0x61, 0xaf, 0xef],
    [0xc6, 0x78, 0xdd],
    [0x56, 0xc2, 0xd6],
    [0xd8, 0xd8, 0xd8],
    [0x70, 0x70, 0x78],
    [0xe0, 0x6c, 0x75],
    [0x7c, 0xc3, 0x79],
    [0xe5, 0xc0, 0x5b],
    [0x61, 0xaf, 0xef],
    [0xc6, 0x78, 0xdd],
    [0x56, 0xc2, 0xd6],
    [0xff, 0xff, 0xff],
];

fn rgb(colour: Color, otherwise: [u8; 3]) -> [u8; 3] {
    match colour {
        Color::Default => otherwise,
        Color::Rgb(red, green, blue) => [red, green, blue],
        Color::Idx(place @ 0..16) => SIXTEEN[usize::from(place)],
        Color::Idx(place @ 16..232) => {
            let step = |value: u8| if value == 0 { 0 } else { 55 + 40 * value };
            let cube = place - 16;
            [step(cube / 36), step(cube / 6 % 6), step(cube % 6)]
        }
        Color::Idx(place) => [8 + 10 * (place - 232); 3],
    }
}

fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Rectangles of one row, neighbours of one colour joined.
fn rectangles(out: &mut String, colours: &[[u8; 3]], (y, height): (u32, u32)) {
    let mut start = 0;
    while start < colours.len() {
        let same = colours[start..].iter().take_while(|colour| **colour == colours[start]).count();
        if colours[start] != BACKGROUND {
            let _ = writeln!(
                out,
                r#"<rect x="{}" y="{y}" width="{}" height="{height}" fill="{}"/>"#,
                start as u32 * CELL.0,
                same as u32 * CELL.0,
                hex(colours[start])
            );
        }
        start += same;
    }
}

/// The screen of a terminal as a picture.
fn svg(screen: &vt100::Screen) -> String {
    let (rows, columns) = screen.size();
    let (rows, columns) = (rows.get(), columns.get());
    let (width, height) = (u32::from(columns) * CELL.0, u32::from(rows) * CELL.1);
    let mut out = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="15" shape-rendering="crispEdges">
<rect width="{width}" height="{height}" fill="{}"/>
"#,
        hex(BACKGROUND)
    );
    for row in 0..rows {
        let y = u32::from(row) * CELL.1;
        let cells: Vec<_> = (0..columns).filter_map(|column| screen.cell(row, column)).collect();
        let colours = |cell: &vt100::Cell| {
            let (mut fore, mut back) = (rgb(cell.fgcolor(), FOREGROUND), rgb(cell.bgcolor(), BACKGROUND));
            if cell.inverse() {
                std::mem::swap(&mut fore, &mut back);
            }
            if cell.dim() {
                fore = [0, 1, 2].map(|part| fore[part] / 2 + back[part] / 2);
            }
            (fore, back)
        };
        let half = |cell: &vt100::Cell| cell.contents() == "▀";
        let upper: Vec<[u8; 3]> =
            cells.iter().map(|cell| if half(cell) { colours(cell).0 } else { colours(cell).1 }).collect();
        let lower: Vec<[u8; 3]> = cells.iter().map(|cell| colours(cell).1).collect();
        if upper == lower {
            rectangles(&mut out, &lower, (y, CELL.1));
        } else {
            rectangles(&mut out, &upper, (y, CELL.1 / 2));
            rectangles(&mut out, &lower, (y + CELL.1 / 2, CELL.1 / 2));
        }
        let mut column = 0;
        while column < cells.len() {
            let cell = cells[column];
            let text = cell.contents();
            if text.trim().is_empty() || half(cell) {
                column += 1;
                continue;
            }
            let style = |cell: &vt100::Cell| (colours(cell).0, cell.bold(), cell.underline());
            let alike = |other: &&&vt100::Cell| style(other) == style(cell) && !half(other);
            let run: Vec<_> = cells[column..].iter().take_while(alike).collect();
            let words: String = run
                .iter()
                .map(|cell| if cell.contents().is_empty() { " " } else { cell.contents() })
                .collect();
            let kept = words.trim_end();
            let (colour, bold, underline) = style(cell);
            let _ = writeln!(
                out,
                r#"<text x="{}" y="{}" fill="{}"{}{} textLength="{}" xml:space="preserve">{}</text>"#,
                column as u32 * CELL.0,
                y + 14,
                hex(colour),
                if bold { r#" font-weight="bold""# } else { "" },
                if underline { r#" text-decoration="underline""# } else { "" },
                kept.chars().count() as u32 * CELL.0,
                kept.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
            );
            column += run.len();
        }
    }
    out.push_str("</svg>\n");
    out
}

/// Copies a folder.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a readable folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}

#[test]
#[ignore = "wants the repository of `make demo`, in SAFELIGHT_DEMO"]
fn the_screens_as_pictures() {
    let Some(demo) = std::env::var_os("SAFELIGHT_DEMO").map(PathBuf::from) else {
        eprintln!("skipped: SAFELIGHT_DEMO names no repository");
        return;
    };
    let bench = Bench::new();
    let root = bench.path("demo");
    copy(&demo, &root);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    std::fs::create_dir_all(&folder).expect("a folder");
    // A name, the keys that lead there, and what must be on the screen.
    let pictured = |text: &str| text.matches('▀').count() > 300 && !text.contains('…');
    let said = |words: &'static str| move |text: &str| text.contains(words);
    type Wanted<'a> = Box<dyn Fn(&str) -> bool + 'a>;
    let screens: [(&str, &str, Wanted<'_>); 11] = [
        ("timeline", "", Box::new(said("frames"))),
        ("images", "2/split:train -removed\r", Box::new(|text| text.contains("most like") || pictured(text))),
        ("wall", "2t", Box::new(|text| text.matches('▀').count() > 1_500)),
        ("review", "3", Box::new(|text| text.contains("suggested") && text.matches('▀').count() > 800)),
        ("training", "4", Box::new(said("run"))),
        ("generators", "5", Box::new(said("Generators"))),
        ("ensembles", "6\r", Box::new(said("members differ"))),
        ("submissions", "7", Box::new(said("submission"))),
        ("jobs", "8", Box::new(said("Jobs"))),
        ("lineage", "7L\x1b[D", Box::new(said("made of"))),
        ("past", "2[[[[", Box::new(said("AS OF"))),
    ];
    for (name, keys, wanted) in screens {
        let arguments = ["tui", "--images", "halfblocks", "--fresh"];
        let mut pty = Pty::start(&root, &arguments, SIZE);
        pty.wait_for("frames");
        pty.press(keys);
        pty.wait(name, |shown| wanted(&shown.screen.screen().contents()));
        std::thread::sleep(std::time::Duration::from_millis(1_500));
        let picture = svg(pty.shown().screen.screen());
        std::fs::write(folder.join(format!("{name}.svg")), picture).expect("written");
        pty.press("\x03");
        assert_eq!(pty.end(), 0);
    }
}
