//! Every action has a test that sees what it does: one that is added without
//! does not compile here.

use crate::action::{Action, BINDINGS};

const SOURCES: [&str; 9] = [
    include_str!("actions.rs"),
    include_str!("curation.rs"),
    include_str!("generators.rs"),
    include_str!("past.rs"),
    include_str!("recipe.rs"),
    include_str!("review.rs"),
    include_str!("walk.rs"),
    include_str!("wall.rs"),
    include_str!("screens.rs"),
];

/// The test that sees what the action does.
const fn test_of(action: Action) -> &'static str {
    match action {
        Action::Quit | Action::Suspend => "leaving_and_sleeping_work_whatever_is_open",
        Action::Help | Action::ShowCommand => "help_palette_and_command_open_and_close",
        Action::Palette => "the_palette_does_what_is_chosen_by_name",
        Action::Show(_) | Action::NextScreen | Action::PreviousScreen => "digits_and_tab_lead_to_screens",
        Action::Back | Action::Open => "enter_looks_closer_and_follows_and_escape_comes_back",
        Action::Down | Action::Up | Action::PageDown | Action::PageUp | Action::First | Action::Last => {
            "rows_are_walked"
        }
        Action::Left | Action::Right | Action::Wall => "the_wall_is_walked_in_four_directions",
        Action::Larger | Action::Smaller => "tiles_grow_and_shrink_within_limits",
        Action::Zoom => "the_picture_takes_the_whole_screen_and_gives_it_back",
        Action::Sort | Action::Reverse => "orders_take_turns_and_the_selected_image_stays",
        Action::Lineage => "from_a_submission_to_the_dataset_and_back",
        Action::Filter => "images_are_filtered_as_the_language_says",
        Action::Goto | Action::Now => "a_seq_puts_every_screen_into_the_past",
        Action::Earlier | Action::Later => "brackets_step_from_frame_to_frame",
        Action::Relabel => "a_label_is_chosen_by_some_of_its_letters",
        Action::Remove | Action::Restore => "a_removal_asks_why_and_one_key_answers",
        Action::Range => "a_range_is_decided_after_a_question_and_taken_back_with_one_key",
        Action::Pick => "several_images_are_changed_after_a_question",
        Action::Undo | Action::Redo => "undo_goes_back_without_end_and_redo_forward_again",
        Action::Revert => "a_frame_is_taken_back_on_the_timeline",
        Action::Keep | Action::Accept | Action::Skip => "one_key_decides_and_advances",
        Action::Label(_) => "digits_are_labels_and_r_finds_them_by_name",
        Action::Group => "near_duplicates_are_decided_together",
        Action::NextPass => "passes_take_turns",
        Action::Recipe => "a_recipe_like_that_of_the_selected_run_is_filled_in_and_trained",
        Action::Resume | Action::Propose => "runs_go_on_and_passes_are_proposed",
        Action::Start | Action::Cancel | Action::Replay => "jobs_are_started_and_stopped",
        Action::EpochBefore | Action::EpochAfter => "the_grid_is_walked_from_epoch_to_epoch",
        Action::Draw => "samples_are_drawn_with_a_new_seed",
        Action::Admit => "samples_are_let_in_after_a_question_that_says_what_keeps_some_out",
        Action::Expel => "samples_are_expelled_after_a_question_that_names_who_learned_from_them",
    }
}

#[test]
fn every_action_has_a_test() {
    for binding in BINDINGS {
        let test = test_of(binding.action);
        let is_there = SOURCES.iter().any(|source| source.contains(&format!("#[test]\nfn {test}()")));
        assert!(is_there, "there is no test {test} for '{}'", binding.name);
    }
}
