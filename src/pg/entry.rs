//! The symbols that SQL calls, and the Rust function behind each.

use super::call::dispatch;
use super::memory;
use super::trigger::{Trigger, untouched};
use crate::{capture, events, receipts, setup, statistics, tables, track};
use pgrx::pg_sys;

/// Exports a C function of PostgreSQL's version-1 convention, with the record that announces it.
macro_rules! entry {
    ($symbol:ident, $announce:ident, $fcinfo:ident => $body:expr) => {
        #[doc(hidden)]
        #[unsafe(no_mangle)]
        pub extern "C" fn $announce() -> &'static pg_sys::Pg_finfo_record {
            const VERSION_1: pg_sys::Pg_finfo_record = pg_sys::Pg_finfo_record { api_version: 1 };
            &VERSION_1
        }

        #[doc(hidden)]
        #[unsafe(no_mangle)]
        pub unsafe extern "C-unwind" fn $symbol($fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
            let body = move || memory::with_parachute(move || $body);
            // SAFETY: what #[pg_guard] expands to: a panic in the body becomes an error of the server.
            unsafe { pg_sys::panic::pgrx_extern_c_guard(body) }
        }
    };
}

macro_rules! functions {
    ($fcinfo:ident: $($symbol:ident $announce:ident $function:path;)*) => {
        $(entry!($symbol, $announce, $fcinfo => {
            // SAFETY: the server calls us with the call info of this call, whose declaration in sql/ fits the function.
            unsafe { dispatch($fcinfo, $function) }
        });)*
    };
}

macro_rules! triggers {
    ($fcinfo:ident: $($symbol:ident $announce:ident $function:path;)*) => {
        $(entry!($symbol, $announce, $fcinfo => {
            // SAFETY: the call info lasts as long as the call. Called as anything but a row trigger it does nothing.
            if let Some(trigger) = unsafe { Trigger::of($fcinfo) } {
                $function(&trigger);
            }

            // SAFETY: as above.
            unsafe { untouched($fcinfo) }
        });)*
    };
}

triggers! { fcinfo:
    pg_goals_capture pg_finfo_pg_goals_capture capture::on_change;
    pg_goals_capture_event pg_finfo_pg_goals_capture_event tables::on_event;
    pg_goals_capture_receipt pg_finfo_pg_goals_capture_receipt tables::on_receipt;
}

functions! { fcinfo:
    pg_goals_track_users pg_finfo_pg_goals_track_users track::track_users;
    pg_goals_track_events pg_finfo_pg_goals_track_events track::track_events;
    pg_goals_track_receipts pg_finfo_pg_goals_track_receipts track::track_receipts;
    pg_goals_untrack pg_finfo_pg_goals_untrack track::untrack;
    pg_goals_untrack_all pg_finfo_pg_goals_untrack_all track::untrack_all;
    pg_goals_create_message pg_finfo_pg_goals_create_message setup::create_message;
    pg_goals_set_goal pg_finfo_pg_goals_set_goal setup::set_goal;
    pg_goals_stop_goal pg_finfo_pg_goals_stop_goal setup::stop_goal;
    pg_goals_add_variant pg_finfo_pg_goals_add_variant setup::add_variant;
    pg_goals_set_control_group pg_finfo_pg_goals_set_control_group setup::set_control_group;
    pg_goals_announce pg_finfo_pg_goals_announce setup::announce;
    pg_goals_goal_problem pg_finfo_pg_goals_goal_problem setup::goal_problem;
    pg_goals_source_problem pg_finfo_pg_goals_source_problem track::source_problem;
    pg_goals_stored_key pg_finfo_pg_goals_stored_key setup::stored_key;
    pg_goals_nearest pg_finfo_pg_goals_nearest setup::nearest_name;
    pg_goals_assign pg_finfo_pg_goals_assign receipts::assign;
    pg_goals_deliver pg_finfo_pg_goals_deliver receipts::deliver;
    pg_goals_deliver_array pg_finfo_pg_goals_deliver_array receipts::deliver_array;
    pg_goals_record_sent pg_finfo_pg_goals_record_sent receipts::record_sent;
    pg_goals_record_sent_array pg_finfo_pg_goals_record_sent_array receipts::record_sent_array;
    pg_goals_record_opened pg_finfo_pg_goals_record_opened receipts::record_opened;
    pg_goals_record_opened_receipt pg_finfo_pg_goals_record_opened_receipt receipts::record_opened_receipt;
    pg_goals_record_clicked pg_finfo_pg_goals_record_clicked receipts::record_clicked;
    pg_goals_record_clicked_receipt pg_finfo_pg_goals_record_clicked_receipt receipts::record_clicked_receipt;
    pg_goals_record_event pg_finfo_pg_goals_record_event events::record_event;
    pg_goals_compare_arms pg_finfo_pg_goals_compare_arms statistics::compare_arms;
    pg_goals_report_page pg_finfo_pg_goals_report_page statistics::report_page;
    pg_goals_rate_interval pg_finfo_pg_goals_rate_interval statistics::rate_interval;
    pg_goals_difference_interval pg_finfo_pg_goals_difference_interval statistics::difference_interval;
    pg_goals_ratio_interval pg_finfo_pg_goals_ratio_interval statistics::ratio_interval;
    pg_goals_proportion_test pg_finfo_pg_goals_proportion_test statistics::proportion_test;
    pg_goals_proportions_test pg_finfo_pg_goals_proportions_test statistics::proportions_test;
    pg_goals_adjust_p pg_finfo_pg_goals_adjust_p statistics::adjust_p;
    pg_goals_probability_better pg_finfo_pg_goals_probability_better statistics::probability_better;
    pg_goals_anytime_test pg_finfo_pg_goals_anytime_test statistics::anytime_test;
    pg_goals_anytime_ratio_interval pg_finfo_pg_goals_anytime_ratio_interval statistics::anytime_ratio_interval;
    pg_goals_split_test pg_finfo_pg_goals_split_test statistics::split_test;
    pg_goals_sample_size pg_finfo_pg_goals_sample_size statistics::sample_size;
}
