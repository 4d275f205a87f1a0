//! Where the others point to. A component of its own, since it is rendered up
//! to 30 times a second.

use aper_yew::use_presence;
use front_end::page::hue;
use yew::prelude::*;

use crate::OfClient;

#[component]
pub(crate) fn Others(OfClient { client }: &OfClient) -> Html {
    let others = use_presence(client);
    let pointers = others.iter().filter_map(|(id, pointer)| {
        let at = pointer.at?;
        #[expect(clippy::cast_precision_loss, reason = "a server counts its clients from 1")]
        let color = format!("--hue: {}", hue(id.0 as f64));
        Some(html! {
            <g
                key={id.0}
                class="pointer"
                style={color}
                transform={format!("translate({} {})", at.x, at.y)}
            >
                <path d="M0 0l7 21 4-9 9-4z" />
                <text x="14" y="32">{ pointer.name.clone() }</text>
            </g>
        })
    });
    html! { <g aria-hidden="true">{ for pointers }</g> }
}
