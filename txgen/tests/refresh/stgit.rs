// SPDX-License-Identifier: GPL-2.0
//! Edits with StGit, whose stack is the branch.

use super::linux::{assert_same_again, project, refresh, sh};

fn edited(script: &str) -> String {
    let project = project();
    sh(&project, &format!("stg init\nstg uncommit --number 4 >/dev/null 2>&1\n{script}"));
    let ran = refresh(&project, &[]).expect(0);
    sh(&project, "stg series >/dev/null");
    assert_same_again(&project);
    ran.stdout
}

#[test]
fn stg_refresh_of_a_patch_below_comes_back() {
    let told = edited(
        "sed -i 's/a + 10/a + 11/' net/core/skbuff.c\nstg refresh --patch $(stg series --noprefix | head -n 1) 2>/dev/null",
    );
    assert!(told.contains("edits                one "), "{told}");
}

#[test]
fn stg_float_and_sink_come_back() {
    let told =
        edited("stg sink --to $(stg series --noprefix | head -n 1) $(stg series --noprefix | tail -n 1) 2>/dev/null");
    assert!(told.contains("moved                two "), "{told}");
}

#[test]
fn stg_delete_comes_back() {
    let told = edited("stg delete $(stg series --noprefix | head -n 1) 2>/dev/null");
    assert!(told.contains("dropped              one\n"), "{told}");
}

#[test]
fn stg_new_comes_back() {
    let told = edited(concat!(
        "stg new -m 'net: add forty\n\nIt is more.' forty 2>/dev/null\n",
        "sed -i 's/a + 4/a + 40/' net/core/skbuff.c\nstg refresh 2>/dev/null"
    ));
    assert!(told.contains("new                  add-forty "), "{told}");
}

#[test]
fn stg_edit_and_squash_come_back() {
    let told = edited(concat!(
        "stg edit -m 'net: subtract b\n\nIt is better.' 2>/dev/null\n",
        "stg squash -n txbufs -m 'net: add txbuf\n\nAll of it.' $(stg series --noprefix | sed -n 2,3p) 2>/dev/null"
    ));
    assert!(told.contains("message              two "), "{told}");
    assert!(told.contains("message, edits       txbuf "), "{told}");
    assert!(told.contains("dropped              more\n"), "{told}");
}
