//! Names made of names.

/// `DropFour` → `drop-four`, `HTTPLog` → `http-log`.
pub(crate) fn kebab(camel: &str) -> String {
    let chars: Vec<char> = camel.chars().collect();
    let mut kebab = String::new();
    for (i, &char) in chars.iter().enumerate() {
        if char == '_' {
            hyphen(&mut kebab);
            continue;
        }
        let before = i.checked_sub(1).map(|i| chars[i]);
        let after = chars.get(i + 1);
        let starts_word = char.is_uppercase()
            && (before.is_some_and(|before| !before.is_uppercase())
                || after.is_some_and(|after| after.is_lowercase()));
        if starts_word {
            hyphen(&mut kebab);
        }
        kebab.extend(char.to_lowercase());
    }
    kebab.trim_end_matches('-').to_owned()
}

/// `red_cards` → `RedCards`.
pub(crate) fn upper_camel(snake: &str) -> String {
    let mut camel = String::new();
    for word in snake.split('_') {
        let mut chars = word.chars();
        if let Some(first) = chars.next() {
            camel.extend(first.to_uppercase());
            camel.extend(chars);
        }
    }
    camel
}

fn hyphen(kebab: &mut String) {
    if !kebab.is_empty() && !kebab.ends_with('-') {
        kebab.push('-');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kebab_case() {
        for (camel, expected) in [
            ("Board", "board"),
            ("DropFour", "drop-four"),
            ("HTTPLog", "http-log"),
            ("LogHTTP", "log-http"),
            ("Grid2", "grid2"),
            ("Grid2D", "grid2-d"),
            ("ABTest", "ab-test"),
            ("Old_Board", "old-board"),
            ("_Board_", "board"),
            ("X", "x"),
        ] {
            assert_eq!(kebab(camel), expected, "{camel}");
        }
    }

    #[test]
    fn upper_camel_case() {
        for (snake, expected) in [
            ("cards", "Cards"),
            ("red_cards", "RedCards"),
            ("_hidden", "Hidden"),
            ("a__b", "AB"),
            ("x2_y", "X2Y"),
            ("größe", "Größe"),
            ("äpfel", "Äpfel"),
            ("alreadyCamel", "AlreadyCamel"),
            ("__", ""),
        ] {
            assert_eq!(upper_camel(snake), expected, "{snake}");
        }
    }
}
