use flowtracker_proto::v1::{DataplaneStats, GetStatsResponse};

use super::*;
use crate::cli::top::flows::Flows;
use crate::cli::top::order::Column;

fn app() -> App {
    let order = Order { column: Column::Pps, reversed: false };
    App::new("http://127.0.0.1:50051".to_owned(), 10, order, Duration::from_secs(1))
}

fn press(app: &mut App, keys: &str) -> bool {
    keys.chars().all(|key| app.obey(KeyCode::Char(key).into()))
}

#[test]
fn keys_do_what_the_help_says() {
    let mut app = app();
    assert!(press(&mut app, "ssr?"));
    assert_eq!(app.order, Order { column: Column::Packets, reversed: true });
    assert!(app.help);
    assert!(press(&mut app, "?p"));
    assert!(!app.help && app.pace.paused);
    for (keys, ms) in [("+", 2_000), ("--", 500), ("-----", 100), ("++++++++++++", 60_000)] {
        assert!(press(&mut app, keys));
        assert_eq!(app.pace.interval, Duration::from_millis(ms), "{keys}");
    }
    assert!(!press(&mut app, "q"));
    assert!(!app.obey(KeyCode::Esc.into()));
    let with_control = |key| KeyEvent::new(KeyCode::Char(key), KeyModifiers::CONTROL);
    assert!(!app.obey(with_control('c')));
    assert!(app.obey(with_control('q')), "another key");
}

#[test]
fn an_interval_of_ones_own_steps_to_its_neighbours() {
    let odd = Duration::from_millis(1_500);
    assert_eq!((longer(odd), shorter(odd)), (Duration::from_secs(2), Duration::from_secs(1)));
    let long = Duration::from_secs(600);
    assert_eq!((longer(long), shorter(long)), (long, Duration::from_secs(60)));
}

#[test]
fn a_pause_keeps_the_figures_and_an_answer_ends_an_absence() {
    let mut app = app();
    let stats = |name: &str| {
        let plane = DataplaneStats { dataplane: name.to_owned(), ..DataplaneStats::default() };
        News::Stats(GetStatsResponse { dataplanes: vec![plane], log: None })
    };
    let listing = || News::Listed(Flows::default().look(1, Duration::ZERO).finish(Duration::ZERO));
    let name = |app: &App| app.figures.planes[0].name.clone();
    app.take(stats("one"));
    press(&mut app, "p");
    app.take(stats("two"));
    app.take(listing());
    app.take(News::Away("gone".to_owned()));
    assert_eq!((name(&app).as_str(), app.listing.is_some(), app.away.is_some()), ("one", false, true));
    press(&mut app, "p");
    app.take(News::Unlisted("resyncing".to_owned()));
    app.take(stats("two"));
    assert_eq!((name(&app).as_str(), app.away.is_some(), app.unlisted.is_some()), ("two", false, true));
    app.take(listing());
    assert!(app.unlisted.is_none() && app.listing.is_some());
}
