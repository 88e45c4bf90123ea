-- A new index on a table of facts is made by the statement that health() prints, and by nothing else.
select substring(hint from 'recreate it with: (.*)') from goals.health()
    where problem = 'missing index' and object = 'goals.receipt_row_idx' \gexec
select statement from goals.health(), regexp_split_to_table(hint, '; ') with ordinality as part (statement, place)
    where problem = 'older index' order by object, place \gexec
