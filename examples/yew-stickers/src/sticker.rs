//! One sticker.

use aper_yew::{Client, use_selector};
use front_end::page::tell;
use whiteboard::{Element, ElementId, Frame, Shape, Transition, Whiteboard};
use yew::platform::spawn_local;
use yew::prelude::*;

use crate::tools::name;

#[derive(PartialEq, Properties)]
pub(crate) struct StickerProps {
    pub(crate) client: Client<Whiteboard>,
    pub(crate) id: ElementId,
    /// Its place among the others: a board is quickly asked for that.
    pub(crate) index: usize,
}

/// Rendered again when this very sticker changes, whatever the others do.
#[component]
pub(crate) fn Sticker(StickerProps { client, id, index }: &StickerProps) -> Html {
    let (id, index) = (*id, *index);
    let element = use_selector(client, move |board| {
        board.elements.get(index).filter(|element| element.id == id).cloned()
    });
    // It may have been taken off, and the wall not been rendered since.
    let Some(Element { shape, color, .. }) = element.as_deref().and_then(Option::as_ref) else {
        return Html::default();
    };
    let take_off = {
        let client = client.clone();
        Callback::from(move |()| {
            let submission = client.submit(Transition::Erase { id });
            spawn_local(tell(submission));
        })
    };
    let onclick = take_off.reform(|event: MouseEvent| event.stop_propagation());
    let onkeydown = move |event: KeyboardEvent| {
        if ["Enter", " ", "Delete"].contains(&event.key().as_str()) {
            event.prevent_default();
            take_off.emit(());
        }
    };
    let (what, drawn) = picture(shape);
    html! {
        <g
            class="sticker"
            role="button"
            tabindex="0"
            data-color={name(*color)}
            aria-label={format!("Take off the {} {what}", name(*color))}
            {onclick}
            {onkeydown}
        >
            { drawn }
        </g>
    }
}

/// A shape: its name, and what it looks like.
fn picture(shape: &Shape) -> (&'static str, Html) {
    match shape {
        Shape::Rectangle(frame) => {
            let (x, y, width, height) = edges(*frame);
            let [x, y, width, height] = [x, y, width, height].map(|length| length.to_string());
            ("square", html! { <rect {x} {y} {width} {height} rx="6" /> })
        }
        Shape::Ellipse(frame) => {
            let (x, y, width, height) = edges(*frame);
            let [cx, cy] = [x + width / 2, y + height / 2].map(|length| length.to_string());
            let [rx, ry] = [width / 2, height / 2].map(|length| length.to_string());
            ("circle", html! { <ellipse {cx} {cy} {rx} {ry} /> })
        }
        Shape::Stroke(points) => {
            let points: Vec<_> = points.iter().map(|p| format!("{},{}", p.x, p.y)).collect();
            ("line", html! { <polyline points={points.join(" ")} /> })
        }
    }
}

/// Left, top, width and height.
fn edges(Frame { from, to }: Frame) -> (i32, i32, i32, i32) {
    (from.x.min(to.x), from.y.min(to.y), (to.x - from.x).abs(), (to.y - from.y).abs())
}
