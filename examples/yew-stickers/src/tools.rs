//! What kind of sticker comes next, and how many there are.

use aper_yew::use_selector;
use whiteboard::{Color, Frame, Point, Shape};
use yew::prelude::*;

use crate::OfClient;

/// Half of what a sticker measures, in units of the board.
const HALF: i32 = 34;

/// A kind of sticker.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Kind {
    pub(crate) is_round: bool,
    pub(crate) color: Color,
}

impl Kind {
    pub(crate) fn shape(self, at: Point) -> Shape {
        let corner = |by: i32| Point { x: at.x + by, y: at.y + by };
        let frame = Frame { from: corner(-HALF), to: corner(HALF) };
        if self.is_round { Shape::Ellipse(frame) } else { Shape::Rectangle(frame) }
    }
}

const COLORS: [Color; 6] =
    [Color::Violet, Color::Blue, Color::Green, Color::Yellow, Color::Red, Color::Ink];

/// A colour as the styles have it; also its name for people.
pub(crate) fn name(color: Color) -> &'static str {
    match color {
        Color::Ink => "ink",
        Color::Red => "red",
        Color::Yellow => "yellow",
        Color::Green => "green",
        Color::Blue => "blue",
        Color::Violet => "violet",
    }
}

#[derive(PartialEq, Properties)]
pub(crate) struct ToolsProps {
    pub(crate) kind: Kind,
    pub(crate) choose: Callback<Kind>,
    /// Sticks one somewhere.
    pub(crate) stick: Callback<MouseEvent>,
}

#[component]
pub(crate) fn Tools(ToolsProps { kind, choose, stick }: &ToolsProps) -> Html {
    let Kind { is_round, color } = *kind;
    let colors = COLORS.map(|other| {
        let choose = choose.reform(move |_| Kind { is_round, color: other });
        html! {
            <button
                type="button"
                class="color"
                data-color={name(other)}
                aria-label={name(other)}
                aria-pressed={(color == other).to_string()}
                onclick={choose}
            />
        }
    });
    let shapes = [(true, "Round"), (false, "Square")].map(|(other, label)| {
        let choose = choose.reform(move |_| Kind { is_round: other, color });
        html! {
            <button
                type="button"
                class="shape"
                aria-pressed={(is_round == other).to_string()}
                onclick={choose}
            >
                { label }
            </button>
        }
    });
    html! {
        <div class="tools" role="toolbar" aria-label="Stickers">
            <span class="group">{ for shapes }</span>
            <span class="group">{ for colors }</span>
            <button type="button" class="primary" onclick={stick.clone()}>{ "Stick one on" }</button>
        </div>
    }
}

/// Rendered again when there are more or fewer, and not when one changes.
#[component]
pub(crate) fn Count(OfClient { client }: &OfClient) -> Html {
    let count = use_selector(client, |board| board.elements.len());
    let words = match count.as_deref() {
        None | Some(0) => "No stickers yet".to_owned(),
        Some(1) => "1 sticker".to_owned(),
        Some(count) => format!("{count} stickers"),
    };
    html! { <output class="count">{ words }</output> }
}
