"""Accounts kept between batches, so that most batches load nothing.

A kept account is what the last transaction of this process left, with the version of its balance row. Everybody who
changes anything of an account writes its balance row, so while the version is the stored one, nothing has changed
since. Nothing is answered from a kept account before the database has said so: a batch that writes proves it in the
transaction of its writes, and loads everything anew where it fails.

An account is taken out while a batch changes it, and comes back when that is stored; whoever wants it meanwhile loads.
"""

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from entitlements.core.account import Account
from entitlements.store.accounts import Wanted, Wants, terms_of

MOST: Final = 20_000
"""Accounts kept in a process, of a few kilobytes each; the one not used for longest goes first."""

_MOST_INSIDE: Final = 256
"""Users' scopes, and open holds, of one account: with more, it is loaded anew now and then."""

_LATELY: Final = 20_000
"""Keys remembered at least, of holds and events just stored: who repeats one is answered from what is stored."""

CONTENDED_SECONDS: Final = 1.0
"""How long an account is not kept after another process has changed it under us: it is likely to do so again."""


class KeptAccounts:
    """One process's."""

    def __init__(self, *, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._by_id: dict[int, Account] = {}
        """In the order they were used last."""
        self._ids: dict[str, int] = {}
        self._out: set[int] = set()
        self._avoided: dict[int, float] = {}
        self._lately: tuple[set[UUID], set[UUID]] = (set(), set())

    def known(self, wanted: Wanted, now: datetime) -> dict[str | int, Account]:
        """The accounts of the customers of whom everything wanted is here, by the names they are wanted by."""
        found: dict[str | int, Account] = {}
        lacking: set[int] = set()
        for name, wants in wanted.items():
            account = self._by_id.get(name if isinstance(name, int) else self._ids.get(name, 0))
            if account is None:
                continue
            if self._has(account, wants, now):
                found[name] = account
            else:
                lacking.add(account.customer_id)
        if lacking:
            # Wanted by key and by id, it is known by both or not at all.
            return {name: account for name, account in found.items() if account.customer_id not in lacking}
        return found

    def still(self, account: Account) -> bool:
        """Whether the account is here as it was: not taken by a batch, nor replaced."""
        return self._by_id.get(account.customer_id) is account

    def take(self, customers: Iterable[int]) -> None:
        """Take accounts out, to change them, whether or not they were here."""
        for customer_id in customers:
            self._by_id.pop(customer_id, None)
            self._out.add(customer_id)

    def release(self, customers: Iterable[int]) -> None:
        """They are not being changed any more."""
        self._out.difference_update(customers)

    def put(self, account: Account, version: int) -> None:
        """Keep an account whose changes are stored."""
        self._remember(account)
        if len(account.scopes) + len(account.holds) > _MOST_INSIDE:
            self._by_id.pop(account.customer_id, None)
            return
        account.settle_down(version)
        account.terms_as_loaded = terms_of(account)
        self._by_id.pop(account.customer_id, None)
        self._by_id[account.customer_id] = account
        self._ids[account.key] = account.customer_id
        if len(self._by_id) > self._most:
            longest_unused = next(iter(self._by_id))
            del self._ids[self._by_id.pop(longest_unused).key]

    def avoid(self, customers: Iterable[int]) -> None:
        """Somebody else has changed some of these accounts: they are contended for a while."""
        if len(self._avoided) > self._most:
            self._avoided.clear()
        until = self._clock() + CONTENDED_SECONDS
        self._avoided.update((customer_id, until) for customer_id in customers)

    def is_contended(self, customer: str | int) -> bool:
        """Whether to lock the account before deciding: another batch, or another process, is changing it as well."""
        customer_id = customer if isinstance(customer, int) else self._ids.get(customer, 0)
        if customer_id in self._out:
            return True
        until = self._avoided.get(customer_id)
        if until is None:
            return False
        if until > self._clock():
            return True
        del self._avoided[customer_id]
        return False

    def _has(self, account: Account, wants: Wants, now: datetime) -> bool:
        return (
            wants.in_no_run
            and (account.valid_until is None or account.valid_until > now)
            and (account.holds_until is None or account.holds_until > now)
            and (account.rights_until is None or account.rights_until > now)
            and wants.scope_keys <= account.scopes
            and wants.hold_ids <= account.holds.keys()
            and wants.new_holds.isdisjoint(account.holds)
            and self._are_new(wants.new_holds)
            and self._are_new(wants.events)
        )

    def _are_new(self, keys: set[UUID]) -> bool:
        young, old = self._lately
        return young.isdisjoint(keys) and old.isdisjoint(keys)

    def _remember(self, account: Account) -> None:
        young, _ = self._lately
        young.update(account.seen)
        young.update(hold.id for hold in account.new_holds)
        if len(young) > _LATELY:
            self._lately = (set(), young)
