"""The exact alerts about each file in events/.

`<event>.txt` is the text for people, `<event>.json` the bodies for machines.
`make golden` regenerates these files. Review the diff before you commit it: these are the texts that responders read at
night. test_golden.py compares the files with the code.
"""
