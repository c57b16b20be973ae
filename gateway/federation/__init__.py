"""Composes, plans and runs Apollo Federation v2; knows no business."""
