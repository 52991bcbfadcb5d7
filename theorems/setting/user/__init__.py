"""What a user hands in, read and refused in one place: point clouds, flows, images; and what flows are asked.

`targets` (--target) with `arrays`, `columns` and `sizes`; `flows` with `finding`, `reading`, `trying` and
`torch_field` (--flow, --label); `checkpoints` (--checkpoint);
`idx` (--mnist). Nothing handed in is believed; what is wrong is said in one line, a `ValueError`.
`flow_audits` and `flow_pictures` are what more than one theorem asks of a flow. The options themselves are
declared in `reports.run.inputs`.
"""
