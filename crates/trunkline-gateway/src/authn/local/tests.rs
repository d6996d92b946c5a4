use std::os::unix::fs::PermissionsExt as _;

use super::*;

const PASSWORD: &str = "correct horse battery";

fn opened(folder: &Path, first: bool) -> (Local, Option<FirstRun>) {
    Local::open(folder, first).unwrap()
}

#[tokio::test]
async fn the_code_is_told_once_kept_as_a_hash_and_good_once() {
    let folder = tempfile::tempdir().unwrap();
    let (local, first) = opened(folder.path(), true);
    let first = first.unwrap();
    assert_eq!(first.reveal().len(), 43);
    assert!(!format!("{first:?}").contains(first.reveal()));
    let path = folder.path().join("local-users.json");
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(!kept.contains(first.reveal()), "{kept}");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(local.waits_for_setup().await);
    drop(local);
    // Another start tells nothing, and the code is still good.
    let (local, again) = opened(folder.path(), true);
    assert!(again.is_none());
    assert!(matches!(
        local.set_up("guess", "root", PASSWORD).await,
        Err(LocalError::Denied(Denied::Refused(Why::Code)))
    ));
    let made = local.set_up(first.reveal(), "root", PASSWORD).await.unwrap();
    assert_eq!((made.name.as_str(), made.groups.as_slice()), ("root", &["trunkline:admins".to_owned()][..]));
    assert!(local.set_up(first.reveal(), "second", PASSWORD).await.is_err());
    assert!(!local.waits_for_setup().await);
    let (local, again) = opened(folder.path(), true);
    assert!(again.is_none(), "there is a user");
    assert!(local.enter("root", PASSWORD).await.is_ok());
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(!kept.contains(PASSWORD) && kept.contains("$argon2id$"), "{kept}");
}

#[tokio::test]
async fn no_code_is_made_where_somebody_can_sign_in_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let (local, first) = opened(folder.path(), false);
    assert!(first.is_none());
    assert!(!local.waits_for_setup().await);
    assert!(!folder.path().join("local-users.json").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_who_try_the_code_at_once_one_makes_an_admin() {
    let folder = tempfile::tempdir().unwrap();
    let (local, first) = opened(folder.path(), true);
    let (code, tasks) = (first.unwrap(), trunkline_runtime::Tasks::new());
    let tries: Vec<_> = (0..100)
        .map(|number| {
            let (local, code) = (local.clone(), code.clone());
            tasks.spawn(async move {
                local.set_up(code.reveal(), &format!("root{number}"), PASSWORD).await.is_ok()
            })
        })
        .collect();
    let mut made = 0;
    for one in tries {
        made += usize::from(one.await.unwrap());
    }
    assert_eq!(made, 1);
    assert_eq!(local.users().await.len(), 1);
}

#[tokio::test]
async fn users_are_made_and_removed_within_limits_and_an_admin_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (local, first) = opened(folder.path(), true);
    local.set_up(first.unwrap().reveal(), "root", PASSWORD).await.unwrap();
    local.add("jane", &["dev".into()], PASSWORD).await.unwrap();
    assert!(matches!(local.add("jane", &[], PASSWORD).await, Err(LocalError::Exists(_))));
    for (user, groups, password) in [
        ("", vec![], PASSWORD),
        ("system:admin", vec![], PASSWORD),
        ("trunkline:sa:a:b", vec![], PASSWORD),
        ("a/b", vec![], PASSWORD),
        ("joe", vec!["system:masters".to_owned()], PASSWORD),
        ("joe", vec!["trunkline:serviceaccounts".to_owned()], PASSWORD),
        ("joe", vec![], "too short"),
    ] {
        let made = local.add(user, &groups, password).await;
        assert!(matches!(made, Err(LocalError::Invalid(_))), "{user} {groups:?} {made:?}");
    }
    assert!(matches!(local.remove("root").await, Err(LocalError::LastAdmin(_))));
    assert!(matches!(local.remove("nobody").await, Err(LocalError::NotFound(_))));
    local.remove("jane").await.unwrap();
    assert!(local.enter("jane", PASSWORD).await.is_err());
    let mut file = local.inner.file.lock().await;
    let mut content = file.content().clone();
    let one = content.users[0].clone();
    content.users.extend((1..MOST).map(|number| User { name: format!("u{number}"), ..one.clone() }));
    file.replace(content).unwrap();
    drop(file);
    assert!(matches!(local.add("more", &[], PASSWORD).await, Err(LocalError::Full)));
}

#[tokio::test]
async fn a_wrong_name_and_a_wrong_password_are_told_alike_and_not_for_long() {
    let folder = tempfile::tempdir().unwrap();
    let (local, first) = opened(folder.path(), true);
    local.set_up(first.unwrap().reveal(), "root", PASSWORD).await.unwrap();
    let (wrong, nobody) = (local.enter("root", "wrong").await, local.enter("nobody", "wrong").await);
    assert_eq!(wrong, Err(Why::Password.into()));
    assert_eq!(wrong, nobody);
    for _ in 0..9 {
        let _ = local.enter("root", "wrong").await;
    }
    assert!(
        matches!(local.enter("root", PASSWORD).await, Err(Denied::Unavailable(_))),
        "not even the right one"
    );
}

#[tokio::test]
async fn a_damaged_file_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("local-users.json");
    for damaged in ["", "{", r#"{"users": 1}"#, r#"{"surprise": 1}"#] {
        std::fs::write(&path, damaged).unwrap();
        assert!(matches!(Local::open(folder.path(), true), Err(LocalFileError::Damaged { .. })), "{damaged}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), damaged);
    }
}
