//! The merchant's people as SQL: users, sessions, wrong guesses, and the audit log.

use super::{Connection, Done, all, held, hold, insert, one, rows, value, values};
use crate::people::{Action, Actor, AuditEntry, User, UserId};
use crate::records::OrderId;
use crate::store::merchant::{CountedGuess, Credentials, Entrance, NewUser, Session, UserChange};
use crate::token::Hash;

pub(super) fn insert_audit(
    connection: &dyn Connection,
    actor: &Actor,
    action: Action,
    order: Option<OrderId>,
    detail: &str,
    now_ms: i64,
) -> Done<()> {
    let sql =
        "INSERT INTO audit (at_ms, who, address, action, order_id, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let values = values![now_ms, &actor.who, &actor.address, action.name(), order, detail];
    connection.execute(sql, values).map(drop)
}

pub(super) fn audit_log(
    connection: &dyn Connection,
    before: Option<i64>,
    limit: u32,
) -> Done<Vec<AuditEntry>> {
    let sql = format!("SELECT {} FROM audit a WHERE a.id < ?1 ORDER BY a.id DESC LIMIT ?2", rows::AUDIT);
    all(connection, &sql, values![before.unwrap_or(i64::MAX), limit], rows::audit_entry)
}

pub(super) fn add_user(connection: &dyn Connection, new: &NewUser, actor: &Actor, now_ms: i64) -> Done<bool> {
    let added = connection.execute(
        "INSERT INTO merchant_users (email, role, password, made_at_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (email) DO NOTHING",
        values![&new.email, new.role.name(), &new.password, now_ms],
    )?;
    if added > 0 {
        let detail = format!("{}: {}", new.email, new.role.name());
        insert_audit(connection, actor, Action::UserAdded, None, &detail, now_ms)?;
    }
    Ok(added > 0)
}

pub(super) fn users(connection: &dyn Connection) -> Done<Vec<User>> {
    all(connection, &format!("SELECT {} FROM merchant_users u ORDER BY u.email", rows::USER), &[], rows::user)
}

pub(super) fn credentials(connection: &dyn Connection, email: &str) -> Done<Option<Credentials>> {
    let sql =
        format!("SELECT {}, u.password, u.totp_secret FROM merchant_users u WHERE u.email = ?1", rows::USER);
    one(connection, &sql, values![email], |row| {
        Ok(Credentials {
            user: rows::user(row)?,
            password: row.get("password")?,
            totp_secret: row.get("totp_secret")?,
        })
    })
}

pub(super) fn change_user(
    connection: &dyn Connection,
    email: &str,
    change: &UserChange,
    actor: &Actor,
    now_ms: i64,
) -> Done<bool> {
    let sql = format!("SELECT id FROM merchant_users WHERE email = ?1{}", held(connection));
    let Some(id) = one(connection, &sql, values![email], |row| row.first().map(UserId))? else {
        return Ok(false);
    };
    if let UserChange::IfPassword(password, change) = change {
        let sql = "SELECT EXISTS (SELECT 1 FROM merchant_users WHERE id = ?1 AND password = ?2 AND is_disabled = 0)";
        let still_holds: bool = value(connection, sql, values![id.0, password])?;
        return if still_holds { change_user(connection, email, change, actor, now_ms) } else { Ok(false) };
    }
    let action = match change {
        UserChange::Password { password, keep } => {
            let sql = "UPDATE merchant_users SET password = ?2 WHERE id = ?1";
            connection.execute(sql, values![id.0, password])?;
            end_sessions(connection, id, *keep)?;
            Action::PasswordChanged
        }
        UserChange::IfPassword(..) => return Ok(false),
        UserChange::Role(role) => {
            let sql = "UPDATE merchant_users SET role = ?2 WHERE id = ?1";
            connection.execute(sql, values![id.0, role.name()])?;
            Action::RoleChanged
        }
        UserChange::Disabled(is_disabled) => {
            let sql = "UPDATE merchant_users SET is_disabled = ?2 WHERE id = ?1";
            connection.execute(sql, values![id.0, *is_disabled])?;
            if *is_disabled {
                end_sessions(connection, id, None)?;
            }
            if *is_disabled { Action::UserDisabled } else { Action::UserEnabled }
        }
        UserChange::SecondFactor(secret) => {
            let used_step = secret.as_ref().map_or(0, |(_, step)| i64::try_from(*step).unwrap_or(i64::MAX));
            let sql = "UPDATE merchant_users SET totp_secret = ?2, totp_used_step = ?3 WHERE id = ?1";
            let bytes = secret.as_ref().map(|(secret, _)| secret.as_slice());
            connection.execute(sql, values![id.0, bytes, used_step])?;
            if secret.is_some() { Action::SecondFactorOn } else { Action::SecondFactorOff }
        }
    };
    let detail = match change {
        UserChange::Role(role) => format!("{email}: {}", role.name()),
        _ => email.to_owned(),
    };
    insert_audit(connection, actor, action, None, &detail, now_ms)?;
    Ok(true)
}

fn end_sessions(connection: &dyn Connection, user: UserId, keep: Option<Hash>) -> Done<()> {
    let sql = "DELETE FROM merchant_sessions WHERE user_id = ?1 AND hash IS DISTINCT FROM ?2";
    connection.execute(sql, values![user.0, keep]).map(drop)
}

pub(super) fn use_totp_step(connection: &dyn Connection, user: UserId, step: u64) -> Done<bool> {
    let fresh = connection.execute(
        "UPDATE merchant_users SET totp_used_step = ?2 WHERE id = ?1 AND totp_used_step < ?2",
        values![user.0, i64::try_from(step).unwrap_or(i64::MAX)],
    )?;
    Ok(fresh > 0)
}

pub(super) fn open_session(
    connection: &dyn Connection,
    hash: Hash,
    user: UserId,
    entrance: &Entrance,
    actor: &Actor,
    now_ms: i64,
) -> Done<Option<bool>> {
    // Hashing takes a while: meanwhile the password may have been changed, or the user shut out.
    let is_complete: Option<bool> = match entrance {
        Entrance::Password(password) => {
            let sql = format!(
                "SELECT totp_secret IS NULL FROM merchant_users
                 WHERE id = ?1 AND password = ?2 AND is_disabled = 0{}",
                held(connection)
            );
            one(connection, &sql, values![user.0, password], |row| row.first())?
        }
        // Whatever shuts a user out or changes the password ends the session that waits, and holds the user for it.
        Entrance::Code(waiting) => {
            let sql = format!(
                "SELECT id FROM merchant_users WHERE id = ?1 AND is_disabled = 0{}",
                held(connection)
            );
            if one(connection, &sql, values![user.0], |row| row.first::<i64>())?.is_none() {
                return Ok(None);
            }
            let ended = connection.execute(
                "DELETE FROM merchant_sessions WHERE hash = ?1 AND user_id = ?2 AND is_complete = 0",
                values![*waiting, user.0],
            )?;
            (ended > 0).then_some(true)
        }
    };
    let Some(is_complete) = is_complete else { return Ok(None) };
    connection.execute(
        "INSERT INTO merchant_sessions (hash, user_id, is_complete, made_at_ms, used_at_ms)
         VALUES (?1, ?2, ?3, ?4, ?4)",
        values![hash, user.0, is_complete, now_ms],
    )?;
    if is_complete {
        insert_audit(connection, actor, Action::SignedIn, None, "", now_ms)?;
    }
    Ok(Some(is_complete))
}

/// The session, and when it was last used.
pub(super) fn session(
    connection: &dyn Connection,
    hash: Hash,
    used_since_ms: i64,
    made_since_ms: i64,
) -> Done<Option<(Session, i64)>> {
    let sql = format!(
        "SELECT {}, s.is_complete, s.used_at_ms FROM merchant_sessions s JOIN merchant_users u ON u.id = s.user_id
         WHERE s.hash = ?1 AND s.used_at_ms >= ?2 AND s.made_at_ms >= ?3 AND u.is_disabled = 0",
        rows::USER
    );
    one(connection, &sql, values![hash, used_since_ms, made_since_ms], |row| {
        let session = Session { user: rows::user(row)?, is_complete: row.get("is_complete")? };
        Ok((session, row.get("used_at_ms")?))
    })
}

pub(super) fn note_use(connection: &dyn Connection, hash: Hash, now_ms: i64) -> Done<()> {
    let sql = "UPDATE merchant_sessions SET used_at_ms = ?2 WHERE hash = ?1 AND used_at_ms < ?2";
    connection.execute(sql, values![hash, now_ms]).map(drop)
}

pub(super) fn end_session(
    connection: &dyn Connection,
    hash: Hash,
    used_before_ms: i64,
    actor: Option<&Actor>,
    now_ms: i64,
) -> Done<()> {
    let sql = "DELETE FROM merchant_sessions WHERE hash = ?1 OR used_at_ms < ?2";
    connection.execute(sql, values![hash, used_before_ms])?;
    match actor {
        Some(actor) => insert_audit(connection, actor, Action::SignedOut, None, "", now_ms),
        None => Ok(()),
    }
}

pub(super) fn count_guess(
    connection: &dyn Connection,
    keys: &[(Hash, u32)],
    since_ms: i64,
    now_ms: i64,
) -> Done<Option<CountedGuess>> {
    let mut in_order: Vec<&Hash> = keys.iter().map(|(key, _)| key).collect();
    // Whoever holds several holds them in one order, or two could wait for each other.
    in_order.sort_unstable_by_key(|key| key.0);
    for key in in_order {
        hold(connection, key)?;
    }
    connection.execute("DELETE FROM wrong_guesses WHERE at_ms < ?1", values![since_ms])?;
    for (key, limit) in keys {
        let sql = "SELECT count(*) FROM wrong_guesses WHERE key = ?1 AND at_ms >= ?2";
        let guesses: u32 = value(connection, sql, values![*key, since_ms])?;
        if guesses >= *limit {
            return Ok(None);
        }
    }
    let counted = keys.iter().map(|(key, _)| {
        insert(connection, "wrong_guesses", &[("key", (*key).into()), ("at_ms", now_ms.into())])
    });
    counted.collect::<Done<_>>().map(|counted| Some(CountedGuess(counted)))
}

pub(super) fn forget_guess(connection: &dyn Connection, guess: &CountedGuess) -> Done<()> {
    for row in &guess.0 {
        connection.execute("DELETE FROM wrong_guesses WHERE id = ?1", values![*row])?;
    }
    Ok(())
}
