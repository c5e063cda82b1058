//! The list of all cases, from which an adapter's tests are made. The crate's own tests compare it
//! with the files.

/// Makes a test of each case for an adapter: `conformance!(sqlite, Fixture);` in its tests, where
/// `Fixture` is its [`Backend`](crate::Backend), gives `sqlite::cart::line_ids_are_never_reused`
/// and all the others.
#[macro_export]
macro_rules! conformance {
    ($backend:ident, $fixture:ty) => {
        mod $backend {
            #[allow(unused_imports, reason = "the fixture may be named by its whole path")]
            use super::*;

            $crate::__conformance_tests! { $fixture;
                sign_in:
                    first_sign_in_makes_the_user
                    second_device_is_the_same_user
                    a_code_is_used_up_by_signing_in
                    only_the_code_sent_to_this_phone_opens
                    a_new_code_ends_the_old_one
                    a_code_expires
                    a_resend_has_to_wait_while_a_code_is_outstanding
                    an_expired_code_has_no_cooldown
                    only_the_current_code_is_withdrawn
                    a_withdrawn_codes_key_sends_again
                    a_withdrawn_code_gives_back_what_it_took
                    time_stands_still_for_what_is_given_back
                    nothing_is_given_back_to_a_later_window
                    a_key_is_remembered_for_a_day_once_its_code_is_sent
                    budgets_limit_what_is_sent
                    five_wrong_codes_then_the_phone_waits
                    a_resend_does_not_reset_the_attempts
                    success_resets_the_attempts
                    guesses_without_a_code_do_not_count_for_the_phone
                    an_address_that_guesses_has_to_wait
                    test_phones_have_attempts_too
                    a_repeated_request_for_a_code_is_one_request
                    a_repeated_sign_in_is_one_sign_in
                    a_key_of_a_sign_in_is_remembered_for_a_day
                    a_repeated_sign_in_does_not_undo_signing_out
                    signing_out_ends_every_session
                    a_profile_changes_field_by_field
                    ;
                crowd:
                    a_code_is_tried_once_from_where_it_was_asked_from
                    a_code_that_was_tried_has_no_first_try
                    parallel_first_tries_are_one
                    a_market_full_of_wrong_codes_still_lets_customers_in
                    a_customers_own_code_is_tried_once_from_anywhere
                    a_share_of_a_budget_is_kept_for_customers
                    ;
                account:
                    a_new_phone_keeps_everything_and_ends_every_token
                    a_code_for_a_new_phone_is_one_customers_and_for_nothing_else
                    anothers_phone_stays_anothers
                    wrong_codes_for_a_new_phone_count
                    a_repeated_change_of_phone_is_one_change
                    one_phone_goes_to_one_of_many_who_want_it
                    a_new_phone_meets_a_sign_in_with_it
                    a_phone_is_proven_once_a_code
                    an_export_has_everything_and_nobody_elses
                    an_export_is_read_in_pages
                    erasing_leaves_orders_without_their_customer
                    erasing_needs_the_right_code
                    a_repeated_erasure_succeeds
                    ;
                phone_change:
                    the_old_phone_makes_no_new_customer_during_the_hold
                    nobody_else_moves_to_a_phone_on_hold
                    an_account_on_hold_is_neither_moved_nor_erased
                    without_a_hold_the_old_phone_is_free_at_once
                    only_a_code_to_stop_stops_a_change
                    guesses_to_stop_a_change_count
                    a_stopped_change_lets_neither_phone_in
                    stopping_twice_is_stopping_once
                    there_is_nothing_to_stop_without_a_hold
                    an_account_moved_back_is_whole
                    a_change_on_hold_can_be_moved_back_without_a_stop
                    a_confirmed_change_stands
                    there_is_nothing_to_decide_without_a_change
                    a_customer_is_found_by_a_former_phone
                    a_change_of_phone_leaves_a_line
                    erasing_forgets_former_phones
                    a_freeze_survives_a_restart
                    ;
                cart:
                    untouched_cart_is_empty_at_version_0
                    added_line_carries_what_the_catalogue_says
                    same_sku_again_adds_to_its_line
                    version_counts_the_changes
                    quantity_0_removes_the_line
                    line_ids_are_never_reused
                    lines_keep_the_order_of_adding
                    unknown_and_retired_skus_are_refused
                    more_than_on_hand_is_refused_in_total
                    a_line_holds_at_most_999_pieces
                    a_cart_holds_at_most_100_lines
                    a_line_can_always_shrink
                    merging_takes_the_larger_quantity
                    merging_can_add_quantities_up
                    merging_takes_what_can_be_had_and_names_the_rest
                    a_full_cart_takes_no_more_lines_by_merging
                    a_repeated_merge_acts_once
                    emptying_is_a_change_not_an_end
                    clearing_an_empty_cart_succeeds
                    a_new_price_is_noticed_until_the_line_is_touched
                    what_is_short_or_retired_stays_and_is_noticed
                    ;
                signals:
                    every_change_of_a_cart_is_told
                    the_end_of_a_session_is_told
                    what_came_before_it_is_asked_is_one_word
                    nobody_hears_of_another_customer
                    ;
                wishlist:
                    the_newest_wish_comes_first
                    wishes_of_one_moment_keep_their_order
                    wishing_again_changes_nothing
                    unknown_products_are_not_found
                    wishes_can_be_taken_off
                    a_wish_follows_the_catalogue
                    a_wishlist_holds_at_most_250_products
                    moving_to_the_cart_does_both
                    moving_to_the_cart_does_both_or_neither
                    ;
                order:
                    checkout_turns_the_cart_into_an_order
                    checkout_empties_the_cart_and_takes_the_stock
                    an_empty_cart_names_the_order_that_emptied_it
                    small_orders_pay_for_delivery
                    order_numbers_count_up_from_1001
                    a_changed_total_is_refused
                    checkout_is_all_or_nothing
                    checkout_of_an_older_cart_is_refused
                    an_order_never_changes_with_the_catalogue
                    orders_are_listed_newest_first
                    cancelling_puts_the_stock_back
                    a_cancelled_last_piece_is_for_sale_again
                    unknown_orders_are_not_found
                    ;
                outbox:
                    a_move_leaves_its_notice_with_its_commit
                    a_claimed_message_is_nobody_elses_until_its_lease_is_over
                    an_outdated_claim_changes_nothing
                    a_message_that_is_put_off_comes_again
                    every_phone_on_the_way_is_told
                    erasing_removes_what_waits
                    parallel_claims_hand_out_each_message_once
                    messages_and_claims_survive_a_restart
                    ;
                order_items:
                    ordering_items_leaves_the_cart_alone
                    ordering_items_is_all_or_nothing
                    ordering_items_is_guarded
                    items_ordered_at_once_are_never_oversold
                    parallel_repeats_of_ordering_items_show_one_order
                    ;
                address:
                    the_first_address_is_the_default
                    the_default_moves
                    the_only_address_stays_the_default
                    an_address_changes_field_by_field
                    removing_hands_the_default_to_the_oldest
                    a_customer_keeps_at_most_50_addresses
                    unknown_addresses_are_not_found
                    ;
                catalogue:
                    products_are_listed_in_pages
                    a_product_shows_its_lowest_price_for_sale
                    a_product_is_available_while_a_sku_is
                    a_products_page_has_its_skus_for_sale
                    what_is_not_for_sale_is_not_listed
                    categories_count_their_products_for_sale
                    search_finds_beginnings_of_words
                    a_search_is_a_few_words
                    search_follows_the_catalogue
                    odd_searches_never_fail
                    importing_twice_changes_nothing
                    importing_changes_only_what_it_names
                    a_products_texts_are_shared_by_its_skus
                    a_code_names_its_sku
                    a_handle_keeps_its_ids
                    a_contradiction_rejects_the_whole_file
                    an_import_tells_its_progress
                    an_empty_file_changes_nothing
                    ;
                catalogue_change:
                    what_a_row_leaves_out_stays
                    a_new_sku_needs_its_facts
                    stock_changes_by_pieces
                    a_stock_that_moved_is_not_set
                    sales_and_files_at_once_add_up
                    a_product_takes_its_new_handle
                    a_code_that_was_given_up_is_free
                    ;
                operator:
                    a_customer_is_found_by_phone
                    unknown_phones_are_not_found
                    a_blocked_customer_is_kept_out
                    an_operator_can_sign_a_customer_out
                    a_check_counts_what_is_there
                    an_empty_store_is_in_order
                    an_empty_store_can_become_a_demo
                    a_store_in_use_keeps_its_currency
                    orders_say_what_the_currency_was
                    a_store_in_use_does_not_become_a_demo
                    demo_customers_are_complete
                    demo_customers_come_all_or_none
                    known_demo_customers_stay_as_they_are
                    ;
                guard:
                    cart_mutations_act_once_a_key
                    wishlist_mutations_act_once_a_key
                    a_repeated_checkout_is_one_order
                    account_mutations_act_once_a_key
                    a_repeated_sign_out_succeeds
                    a_key_of_another_request_is_refused
                    a_refusal_is_not_remembered
                    an_outdated_version_is_refused
                    guards_are_checked_in_their_order
                    keys_are_remembered_for_a_day
                    long_and_odd_keys_are_keys
                    ;
                survival:
                    everything_survives_logout
                    everything_survives_many_logouts
                    everything_survives_expiry
                    everything_survives_a_week_away
                    everything_survives_ten_years_away
                    a_stolen_token_dies_with_logout
                    everything_survives_a_change_of_key
                    two_devices_share_one_cart
                    reading_writes_nothing
                    ;
                signed_out:
                    every_operation_is_open_to_a_session
                    every_operation_is_closed_to_unknown_users
                    every_operation_is_closed_once_signed_out
                    every_operation_is_closed_to_other_epochs
                    every_operation_is_closed_to_the_blocked
                    no_key_replays_for_a_dead_session
                    ;
                isolation:
                    anothers_things_are_not_found
                    a_new_customer_has_nothing
                    equal_ids_mean_ones_own
                    idempotency_keys_are_ones_own
                    signing_out_touches_nobody_else
                    no_operation_touches_another_customer
                    ;
                concurrency:
                    parallel_adds_all_count
                    parallel_first_adds_make_one_cart
                    parallel_wishes_make_one
                    parallel_moves_to_the_cart_move_once
                    parallel_first_addresses_have_one_default
                    one_version_changes_once
                    parallel_repeats_act_once
                    parallel_checkouts_make_one_order
                    parallel_repeats_of_a_checkout_show_one_order
                    parallel_orders_have_their_own_numbers
                    the_last_piece_is_sold_once
                    parallel_cancels_put_the_stock_back_once
                    adds_during_checkouts_are_never_lost
                    an_order_has_one_price_while_prices_change
                    mixed_work_adds_up
                    ;
                concurrent_phone_change:
                    a_stop_meets_a_second_change
                    moving_back_meets_a_sign_in
                    of_many_decisions_one_is_made
                    ;
                concurrent_sign_in:
                    logout_is_a_line_no_write_crosses
                    a_block_is_a_line_no_write_crosses
                    parallel_guesses_share_the_attempts
                    one_code_signs_in_once
                    a_new_phone_becomes_one_user
                    parallel_sends_share_the_budget
                    parallel_guesses_share_the_addresses_budget
                    ;
                durability:
                    everything_survives_a_restart
                    every_acknowledged_write_is_there
                    ids_go_on_counting
                    idempotency_keys_survive_a_restart
                    keys_of_signing_in_survive_a_restart
                    sessions_survive_a_restart_as_they_are
                    codes_and_attempts_survive_a_restart
                    budgets_survive_a_restart
                    parallel_writes_survive_a_restart
                    ;
                sequences:
                    shopping_agrees_with_the_model
                    entering_agrees_with_the_model
                    ;
                continuity:
                    a_new_life_closes_every_operation
                    a_new_life_gives_no_number_again
                    a_new_life_voids_codes_and_their_keys
                    a_repeat_of_before_opens_nothing
                    a_new_life_raises_what_everybody_shares
                    a_life_survives_a_restart
                    ;
                sweep:
                    old_keys_are_swept_in_steps
                    ;
                check:
                    no_operation_leaves_a_finding
                    operators_leave_no_finding
                    ;
            }
        }
    };
}

/// The same for copies of whole stores: `conformance_copies!(sqlite_copies, Fixture);`, where
/// `Fixture` is a [`CopyBackend`](crate::copy::CopyBackend).
#[macro_export]
macro_rules! conformance_copies {
    ($backend:ident, $fixture:ty) => {
        mod $backend {
            #[allow(unused_imports, reason = "the fixture may be named by its whole path")]
            use super::*;

            $crate::__conformance_tests! { $fixture;
                copy:
                    a_copy_is_the_same_shop
                    a_copied_shop_goes_on
                    a_copy_is_of_one_moment
                    a_large_table_is_copied_lot_by_lot
                    a_shop_with_anything_in_it_is_not_copied_over
                    what_was_decided_since_a_copy_is_kept
                    of_another_life_only_what_closes_is_kept
                    a_copy_that_is_cut_short_leaves_nothing
                    what_is_not_the_same_is_not_kept
                    what_breaks_a_promise_is_not_kept
                    ;
                erasure:
                    nothing_personal_is_left
                    an_export_has_every_personal_text
                    an_erasure_with_open_orders_says_so
                    what_a_delivery_needs_goes_when_the_order_ends
                    old_books_of_erased_customers_are_forgotten
                    the_check_sees_every_trace
                    every_act_of_an_operator_leaves_who_and_why
                    an_operator_erases_as_a_customer_does
                    an_exported_customer_can_be_imported
                    whom_the_list_names_is_not_brought_back
                    ;
                sweep:
                    what_is_past_its_term_is_swept
                    ;
            }
        }
    };
}

/// The same for a store whose customers may only do so much: `conformance_limits!(limited,
/// Fixture);`, where `Fixture` opens with [`LIMITS`](crate::limits::LIMITS).
#[macro_export]
macro_rules! conformance_limits {
    ($backend:ident, $fixture:ty) => {
        mod $backend {
            #[allow(unused_imports, reason = "the fixture may be named by its whole path")]
            use super::*;

            $crate::__conformance_tests! { $fixture;
                limits:
                    u6_changes_of_a_cart_are_limited
                    u6_other_changes_are_limited
                    u6_orders_are_limited
                    ;
            }
        }
    };
}

/// One module a file, one test a case.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    ($fixture:ty; $($file:ident: $($case:ident)* ;)*) => {
        $(
            mod $file {
                #[allow(unused_imports, reason = "the fixture may be named by its whole path")]
                use super::*;

                $(
                    #[test]
                    fn $case() {
                        $crate::run::<$fixture>($crate::$file::$case);
                    }
                )*
            }
        )*
    };
}
