use std::sync::mpsc;

use super::*;

fn line(n: usize) -> String {
    format!("{n:0>32768}\n")
}

#[tokio::test]
async fn a_reader_that_stops_does_not_stop_what_is_read_ahead() {
    let (go, gone) = mpsc::channel::<()>();
    let (tell, told) = mpsc::channel::<Vec<u8>>();
    let gone = Mutex::new(gone);
    let spool = Spool::with(move |text| {
        // The output blocks until the test lets it go.
        let _ = gone.lock().unwrap().recv();
        tell.send(text.to_vec()).map_err(|_| Failure::NobodyReads)
    });
    // Four times what memory holds.
    let lines = 4 * MEMORY / line(0).len();
    for n in 0..lines {
        assert!(spool.put(&line(n)).await);
    }
    {
        let waiting = spool.shared.lock();
        assert!(waiting.in_memory <= MEMORY && waiting.to as usize > 2 * MEMORY, "{}", waiting.to);
    }
    drop(go);
    // More comes while the file is read.
    assert!(spool.put(&line(lines)).await);
    let shared = spool.shared.clone();
    spool.end().await.unwrap();
    let written: Vec<u8> = told.into_iter().flatten().collect();
    let expected: String = (0..=lines).map(line).collect();
    assert_eq!(written.len(), expected.len());
    assert!(written == expected.as_bytes(), "the order has changed");
    let waiting = shared.lock();
    assert_eq!((waiting.from, waiting.to), (0, 0));
    assert_eq!(waiting.file.as_ref().unwrap().metadata().unwrap().len(), 0);
}

#[tokio::test]
async fn a_reader_that_has_gone_ends_it() {
    let spool = Spool::with(|_| Err(Failure::NobodyReads));
    while spool.put("x").await {
        tokio::task::yield_now().await;
    }
    assert!(matches!(spool.end().await, Err(Failure::NobodyReads)));
}

#[test]
fn without_a_file_there_is_no_more_room_than_memory() {
    let mut waiting = Waiting { no_file: true, ..Waiting::default() };
    let piece = vec![0; MEMORY / 2];
    assert!(waiting.take(piece.clone()).is_ok() && waiting.take(piece.clone()).is_ok());
    assert!(waiting.take(piece.clone()).is_err());
    assert!(matches!(waiting.next(), Some(Next::Text(_))));
    assert!(waiting.take(piece).is_ok());
    // A text that is longer than the room is taken when nothing else waits.
    let mut waiting = Waiting { no_file: true, ..Waiting::default() };
    assert!(waiting.take(vec![0; 2 * MEMORY]).is_ok());
    // The file has an end.
    let mut waiting = Waiting { from: FILE - 1, to: FILE, ..Waiting::default() };
    assert!(waiting.take(vec![0; 2]).is_err());
}
