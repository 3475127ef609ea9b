//! The books against what lies in the boxes.

use guichet::desk::views::{Reconciliation, Upstream};
use guichet_contract::conformance::Behaviour;

use super::life::{LETTERS, World, tell};

#[tokio::test]
async fn what_lies_in_the_boxes_is_known_missing_or_yet_to_come() {
    tell(async |world| {
        let jean = world.person("jean");
        for wish in ["A screen", "A keyboard"] {
            jean.posts(jean.letter().about(wish).says(wish).into_box("hall")).await;
        }
        let waiting = world.post.write(jean.letter().about("A mouse").says("A mouse").into_box("hall"));
        let found = reconciled(world).await;
        assert!(found.sound, "{found:?}");
        assert_eq!(counts(&letters(&found)), [3, 2, 0, 1, 0]);

        world.place.by_hand("CREATE TABLE lost AS SELECT * FROM inbound WHERE external_id = 'letter-2'").await;
        world.place.by_hand("DELETE FROM inbound WHERE external_id = 'letter-2'").await;
        let found = reconciled(world).await;
        let line = letters(&found);
        assert_eq!(counts(&line), [3, 1, 1, 1, 0]);
        assert_eq!(line.places, ["box hall, place 2"]);
        assert!(!found.sound);
        let broken: Vec<&str> =
            found.checks.iter().filter(|check| check.broken > 0).map(|check| check.name.as_str()).collect();
        assert!(broken.contains(&"upstream_is_here"), "{broken:?}");

        world.place.by_hand("INSERT INTO inbound SELECT * FROM lost").await;
        world.place.by_hand("DROP TABLE lost").await;
        world.receives().await;
        assert_eq!(world.told(&waiting).verdict(), guichet_domain::verdict::Verdict::Opened);
        let found = reconciled(world).await;
        assert!(found.sound, "{found:?}");
        assert_eq!(counts(&letters(&found)), [3, 3, 0, 0, 0]);
    })
    .await;
}

#[tokio::test]
async fn a_network_that_is_away_is_named_and_breaks_no_book() {
    tell(async |world| {
        let jean = world.person("jean");
        jean.posts(jean.letter().about("A screen").says("A screen")).await;
        world.post.behave(Behaviour::Down);
        let found = reconciled(world).await;
        assert!(found.sound, "{found:?}");
        assert_eq!(letters(&found).trouble.as_deref(), Some("the post office is closed"));
        let offline = world.life().desk.balance().await.unwrap();
        assert!(offline.sound && offline.upstream.is_empty(), "{offline:?}");
        world.post.behave(Behaviour::Works);
        assert_eq!(letters(&reconciled(world).await).trouble, None);
    })
    .await;
}

async fn reconciled(world: &World) -> Reconciliation {
    world.life().desk.reconcile().await.unwrap()
}

fn letters(found: &Reconciliation) -> Upstream {
    found.upstream.iter().find(|line| line.source.as_str() == LETTERS).unwrap().clone()
}

/// Held, known, missing, ahead, aside.
fn counts(line: &Upstream) -> [i64; 5] {
    [line.held, line.known, line.missing, line.ahead, line.aside]
}
