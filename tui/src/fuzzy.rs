//! Searching by some of the letters.

/// How well `text` fits what was typed: all of its characters must be there in
/// order; those that follow each other or start a word count more. None when it
/// does not fit.
pub fn score(typed: &str, text: &str) -> Option<i32> {
    let typed: Vec<char> =
        typed.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    let text: Vec<char> = text.chars().map(|c| c.to_lowercase().next().unwrap_or(c)).collect();
    // From every place on: the first letters that fit are seldom the best.
    let from = (0..=text.len()).filter_map(|start| score_from(&typed, &text, start));
    from.max().map(|score| score * 100 - text.len() as i32)
}

fn score_from(typed: &[char], text: &[char], start: usize) -> Option<i32> {
    let mut score = 0;
    let mut wanted = typed.iter().peekable();
    let mut last_match = None;
    for (place, c) in text.iter().enumerate().skip(start) {
        let Some(next) = wanted.peek() else { break };
        if c != *next {
            continue;
        }
        wanted.next();
        score += 1;
        match last_match {
            Some(last) if last + 1 == place => score += 4,
            Some(_) => score -= 2,
            None => {}
        }
        if place == 0 || !text[place - 1].is_alphanumeric() {
            score += 4;
        }
        last_match = Some(place);
    }
    wanted.peek().is_none().then_some(score)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_in_order_fit_and_words_count_more() {
        assert!(score("tl", "timeline").is_some());
        assert!(score("lt", "timeline").is_none());
        assert!(score("", "anything").is_some());
        assert!(score("sub", "Show submissions") > score("sub", "Suspend until back"));
        assert!(score("PD", "page-down") > score("pd", "update"));
    }
}
