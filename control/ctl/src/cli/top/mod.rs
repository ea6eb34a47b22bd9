//! `ctl top`: shows the traffic and its flows, live.
//!
//! Two loops query the service ([`source`]), pure code turns their answers into rates ([`figures`],
//! [`flows`], [`order`]), [`app`] holds the state of the screen and handles keys, and [`view`]
//! draws it.

mod app;
mod figures;
mod flows;
mod order;
mod source;
mod terminal;
mod view;

use std::io::IsTerminal as _;
use std::time::Duration;

use ratatui::crossterm::event::Event;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use self::app::App;
use self::flows::Flows;
use self::order::{Column, Order};
use self::source::{News, Service};
use self::terminal::Screen;
use super::{Failure, Form, Options, output};

/// Rows that are kept for a terminal of any height.
const ROWS: usize = 500;
/// Rows of a frame of text.
const BATCH_ROWS: usize = 20;
/// Width of a frame of text, unless a key needs more.
const BATCH_WIDTH: u16 = 132;
/// Lines of a frame above its rows, at most.
const BATCH_HEADER: usize = 16;

/// Arguments of `ctl top`.
#[derive(Debug, clap::Args)]
pub(super) struct Top {
    /// Seconds between two looks, 0.1 to 3600
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    interval: Duration,

    /// Show at most this number of flows; with --batch 20 unless given
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=ROWS as i64))]
    count: Option<u16>,

    /// Column to sort by, the largest first
    #[arg(long, value_name = "COLUMN", value_enum, default_value = "pps")]
    sort: Column,

    /// Print one frame as text after the second look, and end; so it is where the output is no
    /// terminal
    #[arg(short = 'b', long, visible_alias = "once")]
    batch: bool,
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let wrong = "must be a number of seconds from 0.1 to 3600";
    let seconds: f64 = text.parse().map_err(|_| wrong)?;
    if (0.1..=3600.0).contains(&seconds) { Ok(Duration::from_secs_f64(seconds)) } else { Err(wrong) }
}

pub(super) async fn run(options: Options, top: Top) -> Result<(), Failure> {
    if options.form != Form::Table {
        let instead = "top prints for people: `ctl stats -o json` and `ctl list -o json` are for programs";
        return Err(Failure::Usage(instead.to_owned()));
    }
    let batch = top.batch || !std::io::stdout().is_terminal();
    let count = top.count.map_or(if batch { BATCH_ROWS } else { ROWS }, usize::from);
    let order = Order { column: top.sort, reversed: false };
    let mut app = App::new(options.target.server.clone(), count, order, top.interval);
    let mut service = Service::new(&options);
    // A failure here is final.
    app.take(News::Stats(service.stats().await?));
    if batch { once(app, service).await } else { live(app, service, &options).await }
}

/// Prints one frame as text.
async fn once(mut app: App, mut service: Service) -> Result<(), Failure> {
    let clock = Instant::now();
    let mut flows = Flows::default();
    service.list(&mut flows, app.count, &clock).await?;
    tokio::time::sleep_until(clock + app.pace.interval).await;
    app.take(News::Stats(service.stats().await?));
    app.take(News::Listed(service.list(&mut flows, app.count, &clock).await?));
    let height = u16::try_from(BATCH_HEADER + app.count).unwrap_or(u16::MAX);
    let width = BATCH_WIDTH.max(view::text_width(&app));
    output::put(&view::text(&app, clock.elapsed(), width, height))
}

/// Runs the screen until the user ends it.
async fn live(mut app: App, service: Service, options: &Options) -> Result<(), Failure> {
    let clock = Instant::now();
    let (set_pace, pace) = watch::channel(app.pace);
    let (tell, mut news) = mpsc::channel(1);
    let mut sources = JoinSet::new();
    let lister = Service::new(options);
    sources.spawn(source::entries(lister, app.count, pace.clone(), tell.clone(), clock));
    sources.spawn(source::counters(service, pace, tell));
    let mut ends = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()]
        .map(signal)
        .into_iter()
        .collect::<Result<Vec<_>, _>>()
        .map_err(Failure::Output)?;
    let [terminate, interrupt, hangup] = &mut ends[..] else { unreachable!("three signals were asked for") };

    let mut screen = Screen::take().map_err(Failure::Output)?;
    let mut input = terminal::input();
    // The age of the list is shown in seconds.
    let mut second = tokio::time::interval(Duration::from_secs(1));
    loop {
        screen
            .draw(|frame| view::draw(&app, clock.elapsed(), frame.area(), frame.buffer_mut()))
            .map_err(Failure::Output)?;
        tokio::select! {
            Some(report) = news.recv() => app.take(report),
            Some(event) = input.recv() => match event.map_err(Failure::Output)? {
                Event::Key(key) if !app.obey(key) => return Ok(()),
                // A change of size only needs a redraw.
                _ => {}
            },
            Some(Err(panicked)) = sources.join_next() => return Err(panicked.into()),
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hangup.recv() => return Ok(()),
            _ = second.tick() => {}
        }
        set_pace.send_if_modified(|pace| std::mem::replace(pace, app.pace) != app.pace);
    }
}
