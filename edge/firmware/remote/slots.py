"""The two firmware slots: which one runs, which one is on trial, which versions were given up.

The file `slots` is shared with the loader `main.py`, which counts the starts of a trial and rolls it back.
"""

from .. import files


class Slots:
    """State: active slot, trial slot with its version and number of starts, versions never to install again."""

    def __init__(self, root):
        self.root = root
        self.path = root + "/slots"
        self.state = files.load(self.path) or {"active": "a", "trial": None, "version": "", "tries": 0, "bad": []}

    @property
    def on_trial(self):
        """True while the running firmware has not proven itself."""
        return self.state["trial"] is not None

    @property
    def running(self):
        """The slot that runs; `rom` is the image in the flash."""
        return "rom" if __file__.startswith("/rom") else self.state["trial"] or self.state["active"]

    @property
    def bad(self):
        """Versions that were rolled back."""
        return self.state["bad"]

    def spare(self):
        """The slot that is free to be written."""
        return "b" if self.state["active"] == "a" else "a"

    def start_trial(self, version):
        """The spare slot is complete: run it from the next start on."""
        if not self._save(trial=self.spare(), version=version, tries=0):
            raise OSError(28, "no room on the file system")

    def start_image_trial(self, version, sha256, sectors):
        """The spare image is complete: the loader exchanges it with the one that runs at the next start."""
        if not self._save(trial="rom", version=version, tries=0, image=sha256[:7], sectors=sectors, back=False):
            raise OSError(28, "no room on the file system")

    def commit(self):
        """The trial has proven itself."""
        trial = self.state["trial"]
        self._save(active=self.state["active"] if trial == "rom" else trial, trial=None, tries=0)

    def _save(self, **changes):
        self.state.update(changes)
        return files.save(self.path, self.state)
