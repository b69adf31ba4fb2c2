"""The header doctor: what is wrong with a scene's file, the evidence, and the remedy.

`hsigeo.io.doctor.examination` brings the checks together; each kind has a module of its own. Nothing here changes a
file: `hsigeo.io.doctor.repair` writes a new header beside the old one.
"""
