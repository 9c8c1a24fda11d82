//! How the times grow with the orders, as a picture (SVG).

use std::fmt::Write as _;

/// What was measured with a database of a size.
#[derive(Clone, Debug)]
pub struct Point {
    pub database: &'static str,
    pub orders: u32,
    pub what: &'static str,
    pub median_ms: f64,
}

const PANEL: [f64; 2] = [330.0, 260.0];
const LEFT: f64 = 56.0;
const TOP: f64 = 40.0;
const GAP: f64 = 96.0;
const COLOURS: [&str; 6] = ["#0b6e99", "#b4481e", "#3d7a2c", "#7a3d8f", "#8a6d00", "#555"];

/// One panel for each database, one line for each thing that was measured, both axes in powers of ten.
pub fn growth(points: &[Point]) -> String {
    let databases = unique(points.iter().map(|point| point.database));
    let whats = unique(points.iter().map(|point| point.what));
    let sizes = unique(points.iter().map(|point| point.orders));
    let power = |value: f64| value.log10();
    let (first, last) = (power(f64::from(sizes[0])), power(f64::from(*sizes.last().unwrap())));
    let times = points.iter().map(|point| power(point.median_ms));
    let low = times.clone().fold(f64::INFINITY, f64::min).floor();
    let high = times.fold(f64::NEG_INFINITY, f64::max).ceil();
    let width = LEFT + databases.len() as f64 * (PANEL[0] + GAP);
    let height = TOP + PANEL[1] + 46.0 + 22.0 * whats.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    for (number, database) in databases.iter().enumerate() {
        let left = LEFT + number as f64 * (PANEL[0] + GAP);
        let x = |orders: u32| {
            let share = (power(f64::from(orders)) - first) / (last - first).max(f64::MIN_POSITIVE);
            left + share * PANEL[0]
        };
        let y = |of_ten: f64| TOP + PANEL[1] * (high - of_ten) / (high - low);
        writeln!(
            svg,
            "<text x=\"{left}\" y=\"20\" font-weight=\"bold\">{database}: half of the answers took, ms</text>"
        )
        .unwrap();
        let mut tick = low;
        while tick <= high {
            let (at, right) = (y(tick), left + PANEL[0]);
            writeln!(svg, "<path d=\"M{left} {at:.1}H{right}\" stroke=\"#ddd\"/>").unwrap();
            let label = 10_f64.powf(tick);
            writeln!(
                svg,
                "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
                left - 6.0,
                at + 4.0
            )
            .unwrap();
            tick += 1.0;
        }
        for orders in &sizes {
            let (at, under) = (x(*orders), TOP + PANEL[1] + 20.0);
            writeln!(
                svg,
                "<text x=\"{at:.1}\" y=\"{under}\" text-anchor=\"middle\">{}</text>",
                grouped(*orders)
            )
            .unwrap();
        }
        for (what, colour) in whats.iter().zip(COLOURS.iter().cycle()) {
            let of_this = points.iter().filter(|point| point.database == *database && point.what == *what);
            let places: Vec<String> = of_this
                .map(|point| format!("{:.1},{:.1}", x(point.orders), y(power(point.median_ms))))
                .collect();
            writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
                places.join(" ")
            )
            .unwrap();
            for place in places {
                let (x, y) = place.split_once(',').unwrap();
                writeln!(svg, "<circle cx=\"{x}\" cy=\"{y}\" r=\"3.5\" fill=\"{colour}\"/>").unwrap();
            }
        }
    }
    let under = TOP + PANEL[1] + 40.0;
    writeln!(svg, "<text x=\"{}\" y=\"{under}\" text-anchor=\"end\">orders</text>", width - GAP).unwrap();
    for (number, (what, colour)) in whats.iter().zip(COLOURS.iter().cycle()).enumerate() {
        let at = under + 22.0 * (number as f64 + 1.0) - 8.0;
        writeln!(svg, "<path d=\"M{LEFT} {at}h24\" stroke=\"{colour}\" stroke-width=\"3\"/>").unwrap();
        writeln!(svg, "<text x=\"{}\" y=\"{}\">{what}</text>", LEFT + 32.0, at + 4.5).unwrap();
    }
    svg.push_str("</svg>\n");
    svg
}

fn unique<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut found = Vec::new();
    for one in all {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

/// `1 000 000`.
pub fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
    groups.join(" ")
}
