//! Curves as SVG, small enough to be made by hand: two logarithmic axes, a
//! line for each series, its name at its end.

use std::fmt::Write as _;

use super::results::short;

/// A plot with logarithmic axes.
#[derive(Debug)]
pub(super) struct Plot {
    pub(super) title: &'static str,
    pub(super) x: &'static str,
    pub(super) y: &'static str,
    pub(super) series: Vec<Series>,
}

/// A line.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;

/// Told apart in light and dark, and by people who do not see red and green.
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9"];

/// The least distance between two names at the right.
const LINE: f64 = 15.0;

impl Plot {
    /// The picture; none if there is nothing to show.
    pub(super) fn svg(&self) -> Option<String> {
        let points = || self.series.iter().flat_map(|series| series.points.iter());
        let across = Axis::of(points().map(|point| point.0), LEFT, WIDTH - RIGHT)?;
        let up = Axis::of(points().map(|point| point.1), HEIGHT - BOTTOM, TOP)?;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"12\" role=\"img\">\n\
             <title>{title}</title>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
             <text x=\"{LEFT}\" y=\"22\" font-size=\"14\" font-weight=\"bold\">{title}</text>\n",
            title = self.title
        );
        self.grid(&mut svg, &across, &up);
        let mut names = Vec::new();
        for (series, colour) in self.series.iter().zip(COLOURS.iter().cycle()) {
            let places: Vec<(f64, f64)> =
                series.points.iter().map(|&(x, y)| (across.place(x), up.place(y))).collect();
            line(&mut svg, &places, colour);
            if let Some(&(_, y)) = places.last() {
                names.push((y, &series.name, *colour));
            }
        }
        write_names(&mut svg, names);
        svg.push_str("</svg>\n");
        Some(svg)
    }

    fn grid(&self, svg: &mut String, across: &Axis, up: &Axis) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for tick in up.ticks() {
            let (y, label) = (up.place(tick), short_tick(tick));
            let _ = writeln!(
                svg,
                "<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"#dddddd\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
                LEFT - 8.0,
                y + 4.0
            );
        }
        for tick in across.ticks() {
            let (x, label) = (across.place(tick), short_tick(tick));
            let _ = writeln!(
                svg,
                "<path d=\"M{x:.1} {TOP}V{bottom}\" stroke=\"#dddddd\"/>\
                 <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
                bottom + 18.0
            );
        }
        let (x, y) = (self.x, self.y);
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{x}</text>\
             <text transform=\"translate(16 {:.1}) rotate(-90)\" \
             text-anchor=\"middle\">{y}</text>",
            (LEFT + right) / 2.0,
            HEIGHT - 12.0,
            (TOP + bottom) / 2.0
        );
    }
}

fn line(svg: &mut String, places: &[(f64, f64)], colour: &str) {
    let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    let _ = writeln!(
        svg,
        "<path d=\"M{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
        path.join("L")
    );
    for (x, y) in places {
        let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
    }
}

/// Each at the height of its line's end, or as near as the others leave room.
fn write_names(svg: &mut String, mut names: Vec<(f64, &String, &str)>) {
    names.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut free = f64::MIN;
    for (y, name, colour) in names {
        let y = y.max(free);
        free = y + LINE;
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{name}</text>",
            WIDTH - RIGHT + 10.0,
            y + 4.0
        );
    }
}

/// A logarithmic axis, over whole decades.
struct Axis {
    low: i32,
    high: i32,
    from: f64,
    to: f64,
}

impl Axis {
    fn of(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Option<Self> {
        let logs: Vec<f64> = values.filter(|&value| value > 0.0).map(f64::log10).collect();
        let low = logs.iter().copied().reduce(f64::min)?.floor() as i32;
        let high = logs.iter().copied().reduce(f64::max)?.ceil() as i32;
        Some(Self { low, high: high.max(low + 1), from, to })
    }

    fn place(&self, value: f64) -> f64 {
        let part = (value.log10() - f64::from(self.low)) / f64::from(self.high - self.low);
        self.from + part * (self.to - self.from)
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        (self.low..=self.high).map(|power| 10f64.powi(power))
    }
}

fn short_tick(value: f64) -> String {
    if value >= 1.0 {
        short(value).trim_end_matches(".00").trim_end_matches(".0").to_owned()
    } else {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_where_they_belong() {
        let axis = Axis::of([3.0, 900.0].into_iter(), 0.0, 300.0).unwrap();
        assert_eq!((axis.low, axis.high), (0, 3));
        assert_eq!([1.0, 10.0, 1_000.0].map(|x| axis.place(x).round()), [0.0, 100.0, 300.0]);
    }

    #[test]
    fn a_plot_shows_every_series_and_an_empty_one_is_none() {
        let series =
            |name: &str| Series { name: name.to_owned(), points: vec![(10.0, 0.5), (100.0, 0.25)] };
        let mut plot = Plot {
            title: "title",
            x: "clients",
            y: "µs",
            series: vec![series("one"), series("two")],
        };
        let svg = plot.svg().unwrap();
        assert_eq!(svg.matches("<circle").count(), 4);
        assert!(svg.contains(">one<") && svg.contains(">two<"));
        plot.series.clear();
        assert_eq!(plot.svg(), None);
    }
}
