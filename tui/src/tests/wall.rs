//! The wall of pictures, and images in other orders.

use crate::image_list::TILE_WIDTHS;
use crate::layout;
use crate::msg::{Cmd, Msg};
use crate::picture::Slot;
use crate::screen::Screen;
use crate::testing::stage::Stage;
use crate::{tiles, wanted};

fn wall() -> Stage {
    let mut stage = Stage::new(120, 40);
    stage.press("2 t");
    stage
}

fn at(stage: &Stage) -> usize {
    stage.model.images.cursor.selected
}

#[test]
fn the_wall_is_walked_in_four_directions() {
    let mut stage = wall();
    let shape = layout::wall(&stage.model).expect("a wall");
    let (columns, lines) = (usize::from(shape.columns), usize::from(shape.lines));
    assert!(columns > 1 && lines > 1, "{shape:?}");
    let page = columns * lines;
    for (keys, place) in [
        ("l", 1),
        ("Right", 2),
        ("h", 1),
        ("j", 1 + columns),
        ("Down", 1 + 2 * columns),
        ("k", 1 + columns),
        ("Left", columns),
        ("PageDown", columns + page),
        ("End", 43),
        ("Home", 0),
        ("h", 0),
    ] {
        stage.press(keys);
        assert_eq!(at(&stage), place.min(43), "after {keys}");
        assert_eq!(stage.model.images.cursor.offset % columns, 0);
    }
    stage.press("Enter");
    assert!(stage.model.in_detail);
    stage.press("Left");
    assert!(!stage.model.in_detail, "in the detail, left leads back");
    stage.press("t");
    assert_eq!(layout::wall(&stage.model), None);
}

#[test]
fn every_picture_in_view_is_made_the_selected_first() {
    let stage = wall();
    let shown: Vec<_> = tiles::galleries(&stage.model).into_iter().flat_map(|part| part.tiles).collect();
    assert!(shown.len() > 4);
    for tile in &shown {
        assert!(matches!(stage.model.pictures.get(tile.key()), Some(Slot::Ready(_))));
    }
    let keys = wanted::pictures(&stage.model);
    assert_eq!(Some(keys[0]), wanted::selected(&stage.model));
    assert_eq!(keys[1].blob, keys[0].blob, "then its tile");
    assert!(keys.len() > shown.len() + 1, "and what comes next");
}

#[test]
fn tiles_grow_and_shrink_within_limits() {
    let mut stage = wall();
    let columns = |stage: &Stage| layout::wall(&stage.model).expect("a wall").columns;
    let usual = columns(&stage);
    stage.press("+");
    assert!(columns(&stage) < usual);
    stage.press("- -");
    assert!(columns(&stage) > usual);
    (0..TILE_WIDTHS.len()).for_each(|_| stage.press("-"));
    assert_eq!(stage.notice(), "they are at their smallest");
    stage.press("t +");
    assert_eq!(stage.notice(), "the list has no pictures; press t for a wall of them");
}

#[test]
fn a_click_selects_a_tile_and_follows_a_neighbour() {
    let mut stage = wall();
    let galleries = tiles::galleries(&stage.model);
    let (third, neighbour) = (galleries[0].tiles[3].area, galleries[1].tiles[1].clone());
    stage.tell(Msg::Click(third.x + 1, third.y + 1));
    assert_eq!(at(&stage), 3);
    stage.press("Home");
    stage.tell(Msg::Click(neighbour.area.x, neighbour.area.y));
    assert_eq!(stage.model.selected_image().expect("an image").id, neighbour.image);
}

#[test]
fn orders_take_turns_and_the_selected_image_stays() {
    let mut stage = Stage::new(120, 40);
    stage.press("2 j j j");
    let row = |stage: &Stage, place| stage.model.images.rows.row(place).expect("a row");
    stage.press("o");
    let known = stage.model.judged.known().expect("asked for").clone();
    let sure: Vec<f32> =
        (0..44).filter_map(|place| known.opinions.of(row(&stage, place)).map(|(_, sure)| sure)).collect();
    assert_eq!(sure.len(), 22, "every other image was judged");
    assert!(sure.is_sorted(), "{sure:?}");
    assert_eq!(row(&stage, at(&stage)), 3);
    assert_ne!(at(&stage), 3);
    assert!(crate::testing::dump::text(&stage.model).contains("by confidence"));
    let first = row(&stage, 0);
    stage.press("O");
    assert_eq!(row(&stage, 43), first);
    stage.press("o o o");
    assert_eq!((at(&stage), row(&stage, 43)), (3, 43), "around, back to import");
}

#[test]
fn a_filter_by_models_waits_for_what_they_say() {
    let mut stage = Stage::new(120, 40);
    stage.answering = false;
    let asks = |stage: &Stage| stage.asked.iter().filter(|cmd| matches!(cmd, Cmd::LoadKnown(_))).count();
    stage.press("1");
    assert_eq!(asks(&stage), 0, "no image is shown");
    stage.press("2");
    assert_eq!(asks(&stage), 1, "they are read before anybody filters by them");
    stage.press("/");
    stage.type_in("disagree -removed");
    stage.press("Enter");
    assert_eq!(asks(&stage), 1);
    assert!(stage.model.images.searching);
    let asked = std::mem::take(&mut stage.asked);
    assert!(!asked.iter().any(|cmd| matches!(cmd, Cmd::FilterImages { .. })));
    let ask = asked.into_iter().find(|cmd| matches!(cmd, Cmd::LoadKnown(_))).expect("it is asked for");
    stage.answering = true;
    stage.answer(ask);
    assert!(!stage.model.images.searching);
    let known = stage.model.judged.known().expect("it came").clone();
    let state = stage.model.state().clone();
    assert!(stage.model.list_len() > 0);
    for place in 0..stage.model.list_len() {
        let row = stage.model.images.rows.row(place).expect("a row");
        let image = state.image_at(row as usize).expect("an image");
        let (class, _) = known.opinions.of(row).expect("an opinion");
        assert!(image.label.is_some_and(|label| label != class) && !image.removed);
    }
}

#[test]
fn the_picture_takes_the_whole_screen_and_gives_it_back() {
    for screen in [Screen::Images, Screen::Review] {
        let mut stage = Stage::new(80, 24);
        while stage.model.screen != screen {
            stage.press("Tab");
        }
        let before = layout::areas(&stage.model).picture;
        stage.press("z");
        let after = layout::areas(&stage.model).picture;
        assert!(after.area() > before.area() * 2, "{before:?} {after:?}");
        let selected = stage.model.cursor().selected;
        stage.press("j");
        assert_eq!(stage.model.cursor().selected, selected + 1, "the list is still walked");
        stage.press("Esc");
        assert_eq!(layout::areas(&stage.model).picture, before);
    }
}

#[test]
fn without_pictures_there_is_no_wall() {
    let mut stage = Stage::new(120, 40);
    stage.model.abilities.pictures = false;
    stage.press("2 t");
    assert_eq!(stage.notice(), "pictures are off; start with --images halfblocks or ascii");
    assert!(!stage.model.images.wall);
    stage.press("z");
    assert!(!stage.model.zoomed);
}

#[test]
fn what_models_say_and_neighbours_lead_on() {
    let mut stage = Stage::new(120, 60);
    stage.press("2");
    let lines = crate::detail::lines(&stage.model);
    let text: Vec<String> = lines.iter().map(|line| line.line.to_string()).collect();
    let text = text.join("\n");
    assert!(text.contains("most like it, by perceptual hash, of 44"), "{text}");
    assert!(text.contains("checkpoint 21212121 · 10-crop of 256"), "{text}");
    assert!(text.contains('█'), "a bar");
    stage.press("Enter End Enter");
    assert_eq!(stage.model.images.row, 6, "the last neighbour of the first image");
}
