"""What files in mail say and look like: calendars, contacts, delivery reports, pictures, pages.

Pure: octets in, plain values out; no Django, no network, no clock. Only workers call it. Pictures
and PDFs are drawn in a child process of their own (`drawing`), which alone imports Pillow and
PDFium.
"""
