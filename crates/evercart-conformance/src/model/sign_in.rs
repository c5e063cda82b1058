//! The model's codes, budgets and sessions.

use std::collections::HashMap;

use async_trait::async_trait;
use evercart_core::code::KeyedHash;
use evercart_core::continuity::limit_after_return;
use evercart_core::error::{Refused, Result};
use evercart_core::guard::{Done, Guard, IdempotencyKey};
use evercart_core::ids::UserId;
use evercart_core::phone::Phone;
use evercart_core::sign_in::{
    Budget, CodeRequest, Granted, Proof, SignIn, SignInAttempt, SignInOutcome, UNSENT_KEY_LIFETIME,
    UnsentCode, Used,
};
use evercart_core::user::{ProfileChange, Session, User};
use jiff::{SignedDuration, Timestamp};

use super::operator::sign_out;
use super::{Customer, Model, Remembered, State};

/// What is remembered of phones and addresses, known or not.
#[derive(Clone, Default)]
pub(super) struct SignIns {
    codes: HashMap<(KeyedHash, &'static str), Outstanding>,
    failures: HashMap<KeyedHash, Failures>,
    /// Events of a subject: when the window began, and how many since.
    spent: HashMap<(&'static str, KeyedHash), (Timestamp, u32)>,
    keys: HashMap<KeyedHash, HashMap<String, Remembered>>,
    /// Until when the key of a sign-in is answered like the first time.
    open_until: HashMap<(KeyedHash, String), Timestamp>,
    /// Until when the key of a code is remembered that is not known to be sent.
    unsent_until: HashMap<(KeyedHash, String), Timestamp>,
}

#[derive(Clone)]
struct Outstanding {
    code: KeyedHash,
    granted_at: Timestamp,
    expires_at: Timestamp,
    /// The key it was asked for under.
    key: Option<String>,
    /// From where its first try is compared in any case, until it was tried.
    first_try_from: Option<KeyedHash>,
}

#[derive(Clone)]
struct Failures {
    since: Timestamp,
    count: u32,
    max: u32,
    window: SignedDuration,
}

/// No session has this epoch: what is remembered under it opens nothing.
const NO_EPOCH: i64 = -1;

/// How long the key of a sign-in with a configured code opens.
const TEST_CODE_LIFETIME: SignedDuration = SignedDuration::from_mins(10);

#[async_trait]
impl SignIn for Model {
    async fn grant_code(&self, request: CodeRequest) -> Result<Done<Granted>> {
        self.transact(|state, now| {
            let since = state.life_since.map(|since| since.as_millisecond());
            let owner = state.by_phone(&request.number).ok().map(|customer| customer.user.id);
            let is_own_phone = owner.is_some() && owner == request.claimed_by;
            let first_try_from = Some(request.first_try_from(is_own_phone));
            let sign_ins = &mut state.sign_ins;
            sign_ins.forget_unsent(now);
            let keys = sign_ins.keys.entry(request.phone).or_default();
            if Remembered::find(keys, request.idempotency.as_ref(), now)?.is_some() {
                return Ok(Done::before(Granted::default()));
            }
            let key = request.idempotency.as_ref().map(|key| key.key.clone());
            Remembered::store(keys, request.idempotency, now, 0);
            if let Some(key) = &key {
                let until = now + UNSENT_KEY_LIFETIME;
                sign_ins.unsent_until.insert((request.phone, key.clone()), until);
            }
            sign_ins.may_try(request.phone, now)?;
            if let (Some(least), Some(code)) = (
                request.resend_after,
                sign_ins.codes.get(&(request.phone, request.purpose.as_str())),
            ) && now < code.expires_at
                && now < code.granted_at + least
            {
                let retry_after = (code.granted_at + least).duration_since(now);
                return Err(Refused::RateLimited { retry_after });
            }
            for budget in &request.budgets {
                let limit = limit_after_return(
                    budget.scope,
                    budget.limit_for(is_own_phone),
                    since,
                    now.as_millisecond(),
                );
                let budget = Budget { limit, ..budget.clone() };
                if let Some(retry_after) = sign_ins.exhausted(&budget, now) {
                    return Err(Refused::RateLimited { retry_after });
                }
            }
            let mut granted = Granted::default();
            for budget in &request.budgets {
                if sign_ins.spend(budget, now) == budget.limit.div_ceil(2) {
                    granted.half_used.push(budget.scope);
                }
            }
            let expires_at = now + request.lifetime;
            let code = Outstanding {
                code: request.code,
                granted_at: now,
                expires_at,
                key,
                first_try_from,
            };
            sign_ins.codes.insert((request.phone, request.purpose.as_str()), code);
            Ok(Done::now(granted))
        })
    }

    async fn used(&self, budget: Budget) -> Result<Used> {
        self.transact(|state, now| {
            let window = state.sign_ins.spent.get(&(budget.scope, budget.subject));
            let open = window.filter(|(since, _)| now < *since + budget.window);
            Ok(open.map_or(Used::default(), |(since, count)| Used {
                count: *count,
                rest: (*since + budget.window).duration_since(now),
            }))
        })
    }

    async fn confirm_code(&self, phone: KeyedHash, key: IdempotencyKey) -> Result<()> {
        self.transact(|state, now| {
            let sign_ins = &mut state.sign_ins;
            sign_ins.forget_unsent(now);
            let keys = sign_ins.keys.entry(phone).or_default();
            if Remembered::find(keys, Some(&key), now).is_ok_and(|found| found.is_some())
                && let Some(known) = keys.get_mut(&key.key)
            {
                known.at = now;
                sign_ins.unsent_until.remove(&(phone, key.key));
            }
            Ok(())
        })
    }

    async fn withdraw_code(&self, unsent: UnsentCode) -> Result<()> {
        self.transact(|state, now| {
            let sign_ins = &mut state.sign_ins;
            let is_current =
                |known: &Outstanding| known.code == unsent.code && now < known.expires_at;
            let place = (unsent.phone, unsent.purpose.as_str());
            if !sign_ins.codes.get(&place).is_some_and(is_current) {
                return Ok(());
            }
            let code = sign_ins.codes.remove(&place).expect("looked at just now");
            let keys = sign_ins.keys.entry(unsent.phone).or_default();
            keys.retain(|name, _| Some(name) != code.key.as_ref());
            let is_its = |name: &String| Some(name) == code.key.as_ref();
            sign_ins
                .unsent_until
                .retain(|(phone, name), _| *phone != unsent.phone || !is_its(name));
            for budget in &unsent.give_back {
                let place = (budget.scope, budget.subject);
                let Some((since, count)) = sign_ins.spent.get_mut(&place) else { continue };
                if *since <= code.granted_at && now < *since + budget.window {
                    *count = count.saturating_sub(1);
                    if *count == 0 {
                        sign_ins.spent.remove(&place);
                    }
                }
            }
            Ok(())
        })
    }

    async fn sign_in(&self, attempt: SignInAttempt) -> Result<SignInOutcome> {
        self.transact(|state, now| {
            state.sign_ins.forget_unsent(now);
            let keys = state.sign_ins.keys.entry(attempt.phone_hash).or_default();
            let key = attempt.idempotency.as_ref();
            if let Some((known, key)) = Remembered::find(keys, key, now)?.zip(key) {
                let epoch = known.made;
                let entry = (attempt.phone_hash, key.key.clone());
                let opens = state.sign_ins.open_until.get(&entry).is_some_and(|end| now < *end);
                let Ok(customer) = state.by_phone(&attempt.phone) else {
                    return Ok(match state.kept_for(attempt.phone_hash, now) {
                        Some((_, until)) if opens && epoch == NO_EPOCH => {
                            SignInOutcome::PhoneMoved { until }
                        }
                        _ => SignInOutcome::CodeInvalid,
                    });
                };
                let user = customer.user.clone();
                if !opens || !user.is_active || user.session_epoch != epoch {
                    return Ok(SignInOutcome::CodeInvalid);
                }
                let is_new = user.last_login == Some(user.created_at);
                return Ok(SignInOutcome::SignedIn {
                    user: Box::new(user),
                    is_new,
                    replayed: true,
                });
            }
            let Some(ends) = state.sign_ins.try_code(&attempt, now)? else {
                return Ok(SignInOutcome::CodeInvalid);
            };
            state.enter(attempt, now, ends)
        })
    }

    async fn sign_out(&self, session: Session, guard: Guard) -> Result<Done<()>> {
        let known = self.transact(|state, now| {
            let keys = state.users.get(&session.user_id).map(|customer| &customer.keys);
            let key = guard.idempotency.as_ref();
            let known = keys.map(|keys| Remembered::find(keys, key, now));
            Ok(matches!(known, Some(Ok(Some(_)))))
        })?;
        if known {
            return Ok(Done::before(()));
        }
        self.mutate(
            session,
            Guard { expected_version: None, ..guard },
            |state, user, _| {
                sign_out(&mut state.of(user).user);
                Ok(0)
            },
            |_, _, _| Ok(()),
        )
    }

    async fn user(&self, session: Session) -> Result<User> {
        self.read(session, |_, customer| Ok(customer.user.clone()))
    }

    async fn change_profile(
        &self,
        session: Session,
        change: ProfileChange,
        guard: Guard,
    ) -> Result<Done<User>> {
        self.mutate(
            session,
            Guard { expected_version: None, ..guard },
            |state, user, _| {
                let user = &mut state.of(user).user;
                let fields = [
                    (&mut user.full_name, change.full_name),
                    (&mut user.email, change.email),
                    (&mut user.profile_image_url, change.profile_image_url),
                    (&mut user.language, change.language),
                ];
                for (field, value) in fields {
                    if let Some(value) = value {
                        *field = value;
                    }
                }
                Ok(0)
            },
            |_, customer, _| Ok(customer.user.clone()),
        )
    }
}

impl SignIns {
    /// Refuses a phone that has to wait.
    fn may_try(&self, phone: KeyedHash, now: Timestamp) -> Result<(), Refused> {
        let Some(failures) = self.failures.get(&phone) else { return Ok(()) };
        let ends = failures.since + failures.window;
        if failures.count < failures.max || now >= ends {
            return Ok(());
        }
        Err(Refused::TooManyAttempts { retry_after: ends.duration_since(now) })
    }

    /// Forgets the keys of codes that were never confirmed.
    fn forget_unsent(&mut self, now: Timestamp) {
        let over: Vec<_> = self
            .unsent_until
            .extract_if(|_, until| now >= *until)
            .map(|(place, _)| place)
            .collect();
        for (phone, key) in over {
            self.keys.entry(phone).or_default().remove(&key);
        }
    }

    /// How long to wait for room in a budget, if there is none.
    /// A new life: customers ask for a new code.
    pub(super) fn void(&mut self) {
        self.codes.clear();
        self.keys.clear();
        self.open_until.clear();
        self.spent.retain(|(scope, _), _| !["send_market", "send_prefix"].contains(scope));
    }

    fn exhausted(&self, budget: &Budget, now: Timestamp) -> Option<SignedDuration> {
        let (since, count) = self.spent.get(&(budget.scope, budget.subject))?;
        let ends = *since + budget.window;
        (now < ends && *count >= budget.limit).then(|| ends.duration_since(now))
    }

    fn spend(&mut self, budget: &Budget, now: Timestamp) -> u32 {
        let spent = self.spent.entry((budget.scope, budget.subject)).or_insert((now, 0));
        if now >= spent.0 + budget.window {
            *spent = (now, 0);
        }
        spent.1 += 1;
        spent.1
    }

    /// Compares, unless the phone or the address has to wait.
    pub(super) fn try_code(
        &mut self,
        attempt: &SignInAttempt,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Refused> {
        self.may_try(attempt.phone_hash, now)?;
        let waits = attempt.failures.iter().filter_map(|budget| self.exhausted(budget, now));
        if let Some(retry_after) = waits.max()
            && !self.is_first_try(attempt, now)
        {
            return Err(Refused::TooManyAttempts { retry_after });
        }
        Ok(self.proves(attempt, now))
    }

    fn is_first_try(&self, attempt: &SignInAttempt, now: Timestamp) -> bool {
        let outstanding = self.codes.get(&(attempt.phone_hash, attempt.purpose.as_str()));
        let outstanding = outstanding.filter(|code| now < code.expires_at);
        let from = outstanding.and_then(|code| code.first_try_from);
        from.is_some() && [Some(attempt.from), Some(attempt.phone_hash)].contains(&from)
    }

    /// True if this very request was carried out before.
    pub(super) fn knows_key(
        &self,
        attempt: &SignInAttempt,
        now: Timestamp,
    ) -> Result<bool, Refused> {
        let Some(keys) = self.keys.get(&attempt.phone_hash) else { return Ok(false) };
        Ok(Remembered::find(keys, attempt.idempotency.as_ref(), now)?.is_some())
    }

    pub(super) fn remember_key(
        &mut self,
        phone: KeyedHash,
        key: Option<IdempotencyKey>,
        now: Timestamp,
        made: i64,
    ) {
        Remembered::store(self.keys.entry(phone).or_default(), key, now, made);
    }

    /// Lets a sign-in's key be answered like the first time until then.
    fn open(&mut self, phone: KeyedHash, key: Option<&IdempotencyKey>, ends: Timestamp) {
        if let Some(key) = key {
            let place = (phone, key.key.clone());
            self.unsent_until.remove(&place);
            self.open_until.insert(place, ends);
        }
    }

    /// What a sign-in with a phone came to is not told again.
    pub(super) fn forget_keys(&mut self, phone: KeyedHash) {
        self.keys.remove(&phone);
    }

    /// Compares, counting what is wrong and using up what is right. Returns the end of what is
    /// right.
    fn proves(&mut self, attempt: &SignInAttempt, now: Timestamp) -> Option<Timestamp> {
        let phone = attempt.phone_hash;
        let place = (phone, attempt.purpose.as_str());
        let outstanding = self.codes.get(&place).filter(|code| now < code.expires_at);
        let right = match &attempt.proof {
            Proof::TestCode => Some(now + TEST_CODE_LIFETIME),
            Proof::Code(code) => {
                outstanding.filter(|known| known.code == *code).map(|known| known.expires_at)
            }
        };
        if right.is_some() {
            self.codes.remove(&place);
            self.failures.remove(&phone);
            return right;
        }
        let is_outstanding = outstanding.is_some();
        if let Some(code) = self.codes.get_mut(&place) {
            code.first_try_from = None;
        }
        if is_outstanding || attempt.is_test_phone {
            let (max, window) = (attempt.attempts_max, attempt.attempts_window);
            let first = Failures { since: now, count: 0, max, window };
            let failures = self.failures.entry(phone).or_insert_with(|| first.clone());
            if now >= failures.since + failures.window {
                *failures = first;
            }
            failures.count += 1;
        }
        for failures in &attempt.failures {
            self.spend(failures, now);
        }
        None
    }
}

impl State {
    fn enter(
        &mut self,
        attempt: SignInAttempt,
        now: Timestamp,
        ends: Timestamp,
    ) -> Result<SignInOutcome, Refused> {
        let phone = attempt.phone_hash;
        let is_known = self.by_phone(&attempt.phone).is_ok();
        if let Some((_, until)) = self.kept_for(phone, now).filter(|_| !is_known) {
            self.sign_ins.open(phone, attempt.idempotency.as_ref(), ends);
            self.sign_ins.remember_key(phone, attempt.idempotency, now, NO_EPOCH);
            return Ok(SignInOutcome::PhoneMoved { until });
        }
        let (user, is_new) = match self.by_phone(&attempt.phone) {
            Ok(customer) if customer.user.blocked_at.is_some() => {
                return Err(Refused::UserBlocked);
            }
            Ok(customer) if customer.frozen.is_some() => {
                return Err(Refused::PhoneOnHold { until: None });
            }
            Ok(customer) => {
                customer.user.is_active = true;
                customer.user.last_login = Some(now);
                (customer.user.clone(), false)
            }
            Err(_) => (self.new_user(attempt.phone, now), true),
        };
        self.sign_ins.open(phone, attempt.idempotency.as_ref(), ends);
        self.sign_ins.remember_key(phone, attempt.idempotency, now, user.session_epoch);
        Ok(SignInOutcome::SignedIn { user: Box::new(user), is_new, replayed: false })
    }

    pub(super) fn new_user(&mut self, phone: Phone, now: Timestamp) -> User {
        let id = UserId(self.next_user());
        let user = User {
            id,
            phone,
            full_name: None,
            email: None,
            profile_image_url: None,
            language: None,
            is_active: true,
            blocked_at: None,
            session_epoch: 0,
            last_login: Some(now),
            created_at: now,
            incarnation: self.incarnation,
        };
        let customer = Customer {
            user: user.clone(),
            cart_version: 0,
            cart_updated_at: None,
            emptied: None,
            lines: Vec::new(),
            lines_ever: 0,
            wishes: Vec::new(),
            wishes_ever: 0,
            orders: Vec::new(),
            addresses: Vec::new(),
            addresses_ever: 0,
            keys: HashMap::new(),
            actions: Vec::new(),
            outbox: Vec::new(),
            former: Vec::new(),
            held_until: None,
            frozen: None,
        };
        self.users.insert(id, customer);
        user
    }
}
