//! A copy of a running shop, and the shop that is started from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use checkout::clock::SystemClock;
use domain::OrderState;
use server::config::Config;
use server::serve::open_checkout;

use crate::cli::tillgate;
use crate::kill::{configuration_on, free_ports, prepare, serve};
use crate::shop::folder;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_a_busy_shop_has_everything_that_was_answered_before_and_goes_on() {
    let dir = folder();
    let ports = free_ports();
    let url = format!("http://127.0.0.1:{}", ports[0]);
    let table = configuration_on(dir.path(), &url, ports);
    let file = dir.path().join("tillgate.toml");
    std::fs::write(&file, table.to_string()).unwrap();
    let config = Config::parse(&table.to_string(), []).unwrap();
    let checkout = open_checkout(&config, None, Arc::new(SystemClock)).await.unwrap();
    let prepared = prepare(&checkout).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let process = serve(&file, ports, &client).await;
    let notify = async |index: usize| {
        let answer =
            client.post(format!("{url}/mypos/notify")).body(prepared[index].body.clone()).send().await;
        assert_eq!(answer.unwrap().text().await.unwrap(), "OK");
    };

    // One after the other, so that all before a number were answered.
    let (answered, is_copied) = (AtomicUsize::new(0), AtomicBool::new(false));
    let busy = async {
        for index in 0..prepared.len() {
            notify(index).await;
            answered.store(index + 1, Ordering::SeqCst);
            if is_copied.load(Ordering::SeqCst) {
                break;
            }
        }
    };
    let copy = dir.path().join("copy.db");
    let copying = async {
        while answered.load(Ordering::SeqCst) < 20 {
            tokio::task::yield_now().await;
        }
        let before = answered.load(Ordering::SeqCst);
        let mut command = tillgate();
        command.arg("backup").arg(&copy).arg("--config").arg(&file);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        is_copied.store(true, Ordering::SeqCst);
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains(&format!("{} orders", prepared.len())), "{said}");
        before
    };
    let ((), before) = tokio::join!(busy, copying);
    assert!(before >= 20);

    let again = tillgate().arg("backup").arg(&copy).arg("--config").arg(&file).output().unwrap();
    assert_eq!(again.status.code(), Some(3), "a copy is never written over");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            std::fs::metadata(&copy).unwrap().permissions().mode() & 0o077,
            0,
            "names and addresses lie in it"
        );
    }

    // The shop burns down, and starts again from the copy.
    drop(process);
    drop(checkout);
    for name in ["shop.db", "shop.db-wal", "shop.db-shm"] {
        drop(std::fs::remove_file(dir.path().join(name)));
    }
    std::fs::rename(&copy, dir.path().join("shop.db")).unwrap();
    let _process = serve(&file, ports, &client).await;
    let checkout = open_checkout(&config, None, Arc::new(SystemClock)).await.unwrap();
    for one in &prepared[..before] {
        let file = checkout.order_of_cart(&one.cart_id).await.unwrap().unwrap();
        assert_eq!(file.order.state, OrderState::Paid, "it was answered before the copy was made");
    }
    for (index, one) in prepared.iter().enumerate() {
        notify(index).await;
        let file = checkout.order_of_cart(&one.cart_id).await.unwrap().unwrap();
        assert_eq!(file.order.state, OrderState::Paid);
    }
}
