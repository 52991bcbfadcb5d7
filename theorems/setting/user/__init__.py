"""What a user hands in, read and refused in one place: point clouds, flows, images; and what flows are asked.

`targets` (--target) with `arrays`, `columns`, `solved` and `sizes`; `flows` with `finding`, `reading`,
`trying` and `torch_field` (--flow, --label); `checkpoints` (--checkpoint); `idx` (--mnist). Nothing handed
in is believed; what is wrong is said in one line, a `ValueError`. What more than one theorem asks of a flow
is in the modules named flow_…: `flow_audits` and `flow_spectra` compute, `flow_scale`, `flow_standing`,
`flow_batches` and `flow_references` say what other couplings have, `flow_outcomes` when a number agrees;
`flow_samples`, `flow_words` and `flow_pictures` tell. The options are declared in `reports.run.inputs`.
"""
