//! An evaluation as a page: tables and plots in one file that needs nothing else.

#![expect(clippy::indexing_slicing, reason = "over lists that the program makes itself")]

use std::fmt::Write;

use super::evaluation_summary::Summary;

const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 220.0;
const MARGIN: f64 = 34.0;
const BINS: usize = 24;

const STYLE: &str = "
:root { color-scheme: light dark; --own: #0b6e4f; --other: #b3541e; --line: #8886; }
@media (prefers-color-scheme: dark) { :root { --own: #4cc9a0; --other: #f0a06a; } }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .75rem; text-align: right; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
.plots { display: flex; flex-wrap: wrap; gap: 1rem; }
.wide { overflow-x: auto; }
figure { margin: 0; max-width: 100%; } svg { max-width: 100%; height: auto; } figcaption { font-size: .875rem; }
svg text { font-size: 11px; fill: currentColor; }
.own { color: var(--own); } .other { color: var(--other); }
";

/// The page of some series.
pub fn page(summaries: &[Summary]) -> String {
    let sections: String = summaries.iter().map(section).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>aedr evaluation</title>\n<style>{STYLE}</style>\n<h1>aedr evaluation</h1>\n\
         <p>Smaller signals mean that an image belongs. <span class=\"own\">Images that belong</span>, \
         <span class=\"other\">others</span>.</p>\n{sections}</html>\n"
    )
}

fn section(summary: &Summary) -> String {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let separations = summary.separations.iter().map(|(name, found)| {
        let [low, high] = found.interval;
        vec![
            (*name).into(),
            format!("{:.4}", found.auc),
            format!("{low:.4} to {high:.4}"),
            percent(found.found_at_one_percent),
            percent(found.best_accuracy),
        ]
    });
    let outcomes = ["belonging", "others"].into_iter().zip(summary.outcomes);
    let outcomes = outcomes.map(|(name, counts)| {
        std::iter::once(name.to_owned()).chain(counts.map(|count| count.to_string())).collect::<Vec<_>>()
    });
    // A handful of thresholds, from the first that finds something.
    let step = (summary.sweep.len() / 12).max(1);
    let sweep = summary.sweep.iter().step_by(step);
    let sweep = sweep
        .map(|(threshold, [found, attributed])| vec![format!("{threshold:.4}"), percent(*found), percent(*attributed)]);
    let mut html = format!("<section>\n<h2>{}</h2>\n<p>{}</p>\n", escaped(&summary.title), escaped(&summary.counts()));
    html += &table(&["signal", "area under the curve", "95 %", "found at 1 %", "best accuracy"], separations);
    html += &table(&["verdicts", "matches", "does not match", "cannot tell"], outcomes);
    html += &format!("<div class=\"plots\">\n{}{}</div>\n", histogram(summary), characteristic(summary));
    html += &table(&["threshold of t", "found", "falsely attributed"], sweep);
    html + "</section>\n"
}

fn table(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let cells = |tag: &str, cells: &[String]| -> String {
        cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell))).collect()
    };
    let heads: Vec<String> = heads.iter().map(ToString::to_string).collect();
    let rows: String = rows.map(|row| format!("<tr>{}</tr>\n", cells("td", &row))).collect();
    format!("<div class=\"wide\"><table>\n<tr>{}</tr>\n{rows}</table></div>\n", cells("th", &heads))
}

/// How the signals of both kinds are spread, on a logarithmic scale.
fn histogram(summary: &Summary) -> String {
    let logarithms = summary
        .signals
        .each_ref()
        .map(|signals| signals.iter().map(|signal| signal.max(1e-6).ln()).collect::<Vec<f64>>());
    let all = || logarithms.iter().flatten().copied();
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    if low >= high || !low.is_finite() {
        return String::new();
    }
    let shares = logarithms.map(|values| {
        let mut bins = [0.0; BINS];
        for value in &values {
            let bin = ((value - low) / (high - low) * BINS as f64) as usize;
            bins[bin.min(BINS - 1)] += 1.0 / values.len() as f64;
        }
        bins
    });
    let most = shares.iter().flatten().copied().fold(0.0, f64::max);
    let bar = (WIDTH - 2.0 * MARGIN) / BINS as f64;
    let mut bars = String::new();
    for (class, shares) in ["own", "other"].iter().zip(shares) {
        for (bin, share) in shares.iter().enumerate() {
            let height = share / most * (HEIGHT - 2.0 * MARGIN);
            let (x, y) = (MARGIN + bin as f64 * bar, HEIGHT - MARGIN - height);
            // Writing to a string cannot fail.
            let _ = write!(
                bars,
                "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{bar:.1}\" height=\"{height:.1}\" \
                 fill=\"currentColor\" fill-opacity=\".55\"/>"
            );
        }
    }
    let labels = format!(
        "{}{}",
        label(MARGIN, &format!("{:.3}", low.exp())),
        label(WIDTH - MARGIN, &format!("{:.3}", high.exp()))
    );
    figure("Signal t, logarithmic: the share of each kind", &format!("{bars}{labels}"))
}

/// The receiver operating characteristic of t.
fn characteristic(summary: &Summary) -> String {
    if summary.sweep.is_empty() {
        return String::new();
    }
    let at = |[found, attributed]: [f64; 2]| {
        let x = MARGIN + attributed * (WIDTH - 2.0 * MARGIN);
        let y = HEIGHT - MARGIN - found * (HEIGHT - 2.0 * MARGIN);
        format!("{x:.1},{y:.1}")
    };
    let points: Vec<String> = summary.sweep.iter().map(|(_, shares)| at(*shares)).collect();
    let line = format!(
        "<polyline class=\"own\" points=\"{} {} {}\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"2\"/>",
        at([0.0, 0.0]),
        points.join(" "),
        at([1.0, 1.0])
    );
    let labels = format!("{}{}", label(MARGIN, "0 %"), label(WIDTH - MARGIN, "100 %"));
    figure("Found (up) by falsely attributed (right), for every threshold of t", &format!("{line}{labels}"))
}

fn figure(caption: &str, content: &str) -> String {
    let (right, bottom) = (WIDTH - MARGIN, HEIGHT - MARGIN);
    format!(
        "<figure><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\" \
         aria-label=\"{caption}\"><path d=\"M{MARGIN} {MARGIN}V{bottom}H{right}\" fill=\"none\" stroke=\"currentColor\"/>\
         {content}</svg><figcaption>{caption}</figcaption></figure>\n"
    )
}

fn label(x: f64, text: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>", HEIGHT - MARGIN / 2.0, escaped(text))
}

/// Escapes text that comes from outside.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_holds_every_series_and_names_stay_text() {
        let summary = Summary {
            title: "m<script>: jpeg:85".into(),
            missing: 0,
            signals: [vec![0.5, 0.7], vec![2.0, 3.0, 4.0]],
            separations: Vec::new(),
            outcomes: [[2, 0, 0], [0, 3, 0]],
            sweep: vec![(0.5, [0.5, 0.0]), (0.7, [1.0, 0.0]), (4.0, [1.0, 1.0])],
        };
        let page = page(&[summary]);
        assert!(page.contains("m&lt;script&gt;: jpeg:85") && !page.contains("<script"));
        assert_eq!(page.matches("<svg").count(), 2);
        assert!(page.contains("2 images that belong, 3 others") && page.contains("<td>0.7000</td><td>100.0 %</td>"));
    }
}
