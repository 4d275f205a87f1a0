//! Somebody who draws and points without end.

use std::time::Duration;

use anyhow::Result;
use aper_client::{Client, Options};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;
use whiteboard::{Color, ElementId, Point, Pointer, Shape, Transition, Whiteboard};

use super::Work;

/// Between two places of a pointer: as often as a fast mouse tells of itself,
/// and four times as often as anybody is told.
const MOVE: Duration = Duration::from_millis(8);

/// Places of a pointer between two strokes that are done.
const STROKE: u64 = 250;

/// Places after which the pointer is where it was.
const ROUND: f64 = 400.0;

/// Draws and points until it is told to stop; gives how often it pointed
/// somewhere else.
pub(super) async fn draw(url: String, number: u16, mut work: watch::Receiver<Work>) -> Result<u64> {
    let client = Client::<Whiteboard>::connect(&url, Options::new())?;
    client.online().await?;
    let mut ticks = interval(MOVE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut moves = 0;
    let mut points = Vec::new();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = work.wait_for(|work| *work == Work::Finish) => break,
        }
        let at = place(number, moves);
        points.push(at);
        let shown = points.len().saturating_sub(SHOWN);
        client.set_presence(&Pointer {
            name: format!("Bot {number}"),
            at: Some(at),
            drawing: Some(Shape::Stroke(points[shown..].to_vec())),
            ..Pointer::default()
        })?;
        moves += 1;
        if moves % STROKE == u64::from(number) {
            let shape = Shape::Stroke(std::mem::take(&mut points));
            let id = ElementId(Uuid::from_u128(u128::from(number) << 64 | u128::from(moves)));
            // What becomes of it is seen on the board.
            let _sent = client.submit(Transition::Draw { id, shape, color: Color::Blue });
        }
    }
    client.close().await;
    Ok(moves)
}

/// What is shown of a stroke that is being drawn.
const SHOWN: usize = 60;

/// Each bot goes round in a place of its own.
fn place(number: u16, moves: u64) -> Point {
    #[expect(clippy::cast_precision_loss)] // a bot does not move for so long
    let angle = (moves as f64) / ROUND * std::f64::consts::TAU;
    let (column, row) = (i32::from(number % 5), i32::from(number / 5));
    #[expect(clippy::cast_possible_truncation)] // at most a hundred
    let (x, y) = ((angle.cos() * 60.0) as i32, ((angle * 2.0).sin() * 60.0) as i32);
    Point { x: column * 180 - 360 + x, y: row * 130 - 195 + y }
}
