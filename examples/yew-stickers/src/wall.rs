//! The wall, with its stickers.

use aper_yew::use_selector;
use front_end::page::{self, new_id, tell};
use whiteboard::{Color, ElementId, Point, Pointer, Transition};
use yew::platform::spawn_local;
use yew::prelude::*;

use crate::OfClient;
use crate::others::Others;
use crate::sticker::Sticker;
use crate::tools::{Count, Kind, Tools};

/// How far the wall goes from its middle, in units of the board.
const WIDTH: i32 = 400;
const HEIGHT: i32 = 300;

#[component]
pub(crate) fn Wall(OfClient { client }: &OfClient) -> Html {
    // Of the board only the ids: what a sticker looks like is its own affair,
    // and the wall is not rendered again for it.
    let ids = use_selector(client, |board| {
        board.elements.iter().map(|element| element.id).collect::<Vec<_>>()
    });
    let kind = use_state_eq(|| Kind { is_round: true, color: Color::Violet });
    let name = use_memo((), |()| page::name());
    let svg = use_node_ref();

    let stick = {
        let (client, kind) = (client.clone(), *kind);
        Callback::from(move |at: Point| {
            let (id, shape, color) = (ElementId(new_id()), kind.shape(at), kind.color);
            let submission = client.submit(Transition::Draw { id, shape, color });
            spawn_local(tell(submission));
        })
    };
    let place = {
        let svg = svg.clone();
        move |event: &MouseEvent| place(&svg, event)
    };
    let onclick = {
        let (stick, place) = (stick.clone(), place.clone());
        move |event: MouseEvent| {
            if let Some(at) = place(&event) {
                stick.emit(at);
            }
        }
    };
    let point = {
        let (client, color) = (client.clone(), kind.color);
        move |at: Option<Point>| {
            let pointer = Pointer { name: (*name).clone(), at, color, ..Pointer::default() };
            // A name is short.
            drop(client.set_presence(&pointer));
        }
    };
    let onpointermove = {
        let point = point.clone();
        move |event: PointerEvent| point(place(&event))
    };
    let onpointerleave = move |_: PointerEvent| point(None);

    let stickers = ids.iter().flat_map(|ids| ids.iter().enumerate()).map(|(index, id)| {
        html! { <Sticker key={id.0.to_string()} client={client.clone()} id={*id} {index} /> }
    });
    html! {
        <div class="wall">
            <Tools
                kind={*kind}
                choose={ move |chosen| kind.set(chosen) }
                stick={stick.reform(|_| anywhere())}
            />
            <svg
                ref={svg}
                class="board"
                role="group"
                aria-label="Wall"
                viewBox={format!("{} {} {} {}", -WIDTH, -HEIGHT, 2 * WIDTH, 2 * HEIGHT)}
                {onclick}
                {onpointermove}
                {onpointerleave}
            >
                { for stickers }
                <Others client={client.clone()} />
            </svg>
            <p class="below">
                <Count client={client.clone()} />
                <span>{ "Click on the wall to stick one on, and on a sticker to take it off." }</span>
            </p>
        </div>
    }
}

/// Where a mouse points to, in units of the board.
#[expect(clippy::cast_possible_truncation, reason = "a wall is smaller than an i32")]
fn place(svg: &NodeRef, event: &MouseEvent) -> Option<Point> {
    let edges = svg.cast::<web_sys::Element>()?.get_bounding_client_rect();
    let unit = f64::from(2 * WIDTH) / edges.width();
    let across = (f64::from(event.client_x()) - edges.left()) * unit;
    let down = (f64::from(event.client_y()) - edges.top()) * unit;
    Some(Point { x: across as i32 - WIDTH, y: down as i32 - HEIGHT })
}

/// For whoever has no mouse.
#[expect(clippy::cast_possible_truncation, reason = "a wall is smaller than an i32")]
fn anywhere() -> Point {
    let within = |far: i32| ((js_sys::Math::random() * 1.6 - 0.8) * f64::from(far)) as i32;
    Point { x: within(WIDTH), y: within(HEIGHT) }
}
