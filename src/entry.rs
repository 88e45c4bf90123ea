//! The symbols that SQL calls, and the Rust function behind each.

use crate::calls::{
    engagement_sets, engagements, events, goals, health, messages, move_users, pause, people, people_totals, receipts,
    sql, statistics, track, track_attributes, track_engagements, track_membership, track_messages, track_tables,
};
use crate::pg::export::{export_functions, export_triggers};
use crate::triggers;

export_triggers! { triggers::noted:
    pg_goals_capture pg_finfo_pg_goals_capture triggers::users::on_change;
    pg_goals_capture_event pg_finfo_pg_goals_capture_event triggers::events::on_event;
    pg_goals_capture_attributes pg_finfo_pg_goals_capture_attributes triggers::attributes::on_change;
    pg_goals_capture_membership pg_finfo_pg_goals_capture_membership triggers::membership::on_change;
    pg_goals_capture_engagement pg_finfo_pg_goals_capture_engagement triggers::engagements::on_engagement;
    pg_goals_capture_receipt pg_finfo_pg_goals_capture_receipt triggers::sends::on_receipt;
    pg_goals_capture_message pg_finfo_pg_goals_capture_message triggers::campaigns::on_message;
}

export_functions! {
    pg_goals_track_users pg_finfo_pg_goals_track_users track_tables::track_users;
    pg_goals_move_users pg_finfo_pg_goals_move_users move_users::move_users;
    pg_goals_track_events pg_finfo_pg_goals_track_events track_tables::track_events;
    pg_goals_track_receipts pg_finfo_pg_goals_track_receipts track_tables::track_receipts;
    pg_goals_track_messages pg_finfo_pg_goals_track_messages track_messages::track_messages;
    pg_goals_track_attributes pg_finfo_pg_goals_track_attributes track_attributes::track_attributes;
    pg_goals_track_membership pg_finfo_pg_goals_track_membership track_membership::track_membership;
    pg_goals_track_engagements pg_finfo_pg_goals_track_engagements track_engagements::track_engagements;
    pg_goals_untrack pg_finfo_pg_goals_untrack track::untrack;
    pg_goals_untrack_all pg_finfo_pg_goals_untrack_all track::untrack_all;
    pg_goals_pause pg_finfo_pg_goals_pause pause::pause;
    pg_goals_reset pg_finfo_pg_goals_reset pause::reset;
    pg_goals_create_message pg_finfo_pg_goals_create_message goals::create_message;
    pg_goals_rename_message pg_finfo_pg_goals_rename_message messages::rename_message;
    pg_goals_drop_message pg_finfo_pg_goals_drop_message messages::drop_message;
    pg_goals_set_goal pg_finfo_pg_goals_set_goal goals::set_goal;
    pg_goals_stop_goal pg_finfo_pg_goals_stop_goal goals::stop_goal;
    pg_goals_add_variant pg_finfo_pg_goals_add_variant goals::add_variant;
    pg_goals_set_control_group pg_finfo_pg_goals_set_control_group goals::set_control_group;
    pg_goals_note_columns pg_finfo_pg_goals_note_columns goals::note_columns;
    pg_goals_announce pg_finfo_pg_goals_announce goals::announce;
    pg_goals_refuse_list pg_finfo_pg_goals_refuse_list sql::refuse_list;
    pg_goals_users_table pg_finfo_pg_goals_users_table sql::users_table;
    pg_goals_raise pg_finfo_pg_goals_raise sql::raise;
    pg_goals_goal_problem pg_finfo_pg_goals_goal_problem health::goal_problem;
    pg_goals_is_broken pg_finfo_pg_goals_is_broken health::is_broken;
    pg_goals_source_problem pg_finfo_pg_goals_source_problem health::source_problem;
    pg_goals_follower pg_finfo_pg_goals_follower health::follower;
    pg_goals_unusable pg_finfo_pg_goals_unusable health::unusable;
    pg_goals_stored_key pg_finfo_pg_goals_stored_key health::stored_key;
    pg_goals_nearest pg_finfo_pg_goals_nearest health::nearest_name;
    pg_goals_assign pg_finfo_pg_goals_assign receipts::assign;
    pg_goals_deliver pg_finfo_pg_goals_deliver receipts::deliver;
    pg_goals_deliver_array pg_finfo_pg_goals_deliver_array receipts::deliver_array;
    pg_goals_record_sent pg_finfo_pg_goals_record_sent receipts::record_sent;
    pg_goals_record_sent_array pg_finfo_pg_goals_record_sent_array receipts::record_sent_array;
    pg_goals_record_opened pg_finfo_pg_goals_record_opened engagements::record_opened;
    pg_goals_record_opened_receipt pg_finfo_pg_goals_record_opened_receipt engagements::record_opened_receipt;
    pg_goals_record_clicked pg_finfo_pg_goals_record_clicked engagements::record_clicked;
    pg_goals_record_clicked_receipt pg_finfo_pg_goals_record_clicked_receipt engagements::record_clicked_receipt;
    pg_goals_record_delivered pg_finfo_pg_goals_record_delivered engagements::record_delivered;
    pg_goals_record_delivered_receipt pg_finfo_pg_goals_record_delivered_receipt engagements::record_delivered_receipt;
    pg_goals_record_bounced pg_finfo_pg_goals_record_bounced engagements::record_bounced;
    pg_goals_record_bounced_receipt pg_finfo_pg_goals_record_bounced_receipt engagements::record_bounced_receipt;
    pg_goals_record_complained pg_finfo_pg_goals_record_complained engagements::record_complained;
    pg_goals_record_complained_receipt pg_finfo_pg_goals_record_complained_receipt engagements::record_complained_receipt;
    pg_goals_record_unsubscribed pg_finfo_pg_goals_record_unsubscribed engagements::record_unsubscribed;
    pg_goals_record_unsubscribed_receipt pg_finfo_pg_goals_record_unsubscribed_receipt engagements::record_unsubscribed_receipt;
    pg_goals_record_engagements pg_finfo_pg_goals_record_engagements engagement_sets::record_engagements;
    pg_goals_withdraw pg_finfo_pg_goals_withdraw engagements::withdraw;
    pg_goals_record_event pg_finfo_pg_goals_record_event events::record_event;
    pg_goals_merge_users pg_finfo_pg_goals_merge_users people::merge_users;
    pg_goals_spells pg_finfo_pg_goals_spells people::spells;
    pg_goals_people_change pg_finfo_pg_goals_people_change people_totals::people_change;
    pg_goals_are_users pg_finfo_pg_goals_are_users people::are_users;
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
