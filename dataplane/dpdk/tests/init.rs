//! The EAL as a value: refused arguments, affinity, one per process.

use dpdk::{Eal, Error, LcoreId, LcoreScope, ProcessType};

/// The CPUs that this thread may run on.
fn affinity() -> Vec<usize> {
    let status = std::fs::read_to_string("/proc/thread-self/status").expect("Linux shows thread status");
    let list = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
        .expect("the status names the allowed CPUs");
    list.trim()
        .split(',')
        .flat_map(|range| {
            let (from, to) = range.split_once('-').unwrap_or((range, range));
            from.parse::<usize>().unwrap()..=to.parse::<usize>().unwrap()
        })
        .collect()
}

fn args(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn the_eal_starts_once_and_leaves_the_caller_as_it_was() {
    let before = affinity();
    let main_cpu = before[0];
    let base = format!("--no-huge --no-shconf --no-pci -m 128 --file-prefix ftinit{}", std::process::id());

    let unknown = Eal::init("init", &args(&format!("{base} --no-such-flag"))).unwrap_err();
    assert!(unknown.is_usage());
    assert!(
        unknown.to_string().starts_with("EAL arguments: unrecognized option '--no-such-flag':"),
        "{unknown}"
    );
    assert!(
        unknown.messages().iter().any(|line| line.contains("EAL common options")),
        "the usage text is captured, not printed: {unknown:?}"
    );
    assert_eq!(affinity(), before, "restored after a failure too");
    let both = Eal::init("init", &args(&format!("{base} --in-memory"))).unwrap_err();
    assert!(both.to_string().contains("--in-memory"), "{both}");
    let unread = Eal::init("init", &args(&format!("{base} -- --burst 32"))).unwrap_err();
    assert!(matches!(unread, Error::EalArguments(_)), "{unread}");

    // Two lcores on one CPU, so that the test runs anywhere.
    let lcores = format!("{base} --lcores 0@{main_cpu},3@{main_cpu}");
    let eal =
        Eal::init("init", &args(&lcores)).expect("arguments that the EAL accepts, after ones it refused");
    assert_eq!(affinity(), before);
    assert_eq!(Eal::init("init", &args(&lcores)).unwrap_err(), Error::AlreadyInitialised);

    assert!(eal.messages().iter().any(|line| line.starts_with("EAL: Detected CPU lcores")));
    assert_eq!(eal.failed_devices(), []);
    assert_eq!(eal.process_type(), ProcessType::Primary);
    assert_eq!(eal.main_lcore(), LcoreId(0));
    assert_eq!(eal.lcores(), [LcoreId(0), LcoreId(3)]);
    assert_eq!(eal.ports(), []);
    assert!(dpdk::clock::tsc_hz(&eal) > 0);

    closures_run_on_their_lcore(&eal, main_cpu, &before);
}

fn closures_run_on_their_lcore(eal: &Eal, main_cpu: usize, own: &[usize]) {
    let mut seen = None;
    let returned = eal.scope(|scope: &LcoreScope<'_, '_>| {
        assert_eq!(scope.launch(LcoreId(0), || ()), Err(Error::NotAWorker(LcoreId(0))));
        assert_eq!(scope.launch(LcoreId(1), || ()), Err(Error::NotAWorker(LcoreId(1))));
        17
    });
    assert_eq!(returned, 17);
    eal.scope(|scope| scope.launch(LcoreId(3), || seen = LcoreId::current())).unwrap();
    assert_eq!(seen, Some(LcoreId(3)));

    // A busy lcore takes no second closure; the same lcore is free again in the next scope.
    let (go, wait) = std::sync::mpsc::channel::<()>();
    eal.scope(|scope| {
        scope.launch(LcoreId(3), move || wait.recv().unwrap()).unwrap();
        let busy = scope.launch(LcoreId(3), || ()).unwrap_err();
        assert_eq!(busy.errno(), Some(16), "EBUSY: {busy}");
        go.send(()).unwrap();
    });

    eal.scope(|scope| {
        scope
            .run_main(|| {
                assert_eq!(LcoreId::current(), Some(LcoreId(0)));
                assert_eq!(affinity(), [main_cpu]);
            })
            .unwrap();
        assert_eq!(affinity(), own);
        let elsewhere = std::thread::scope(|threads| threads.spawn(|| scope.run_main(|| ())).join().unwrap());
        assert_eq!(elsewhere, Err(Error::NotMainThread));
    });
    assert_eq!(std::thread::spawn(LcoreId::current).join().unwrap(), None);
}
