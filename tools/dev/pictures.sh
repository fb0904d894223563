# shellcheck shell=bash
# Pictures of the pages that people see, as Chromium shows them.

# Takes them with a server of this tree.
pictures() {
  need build test
  need_npm tests/e2e
  build_preset release
  step "taking pictures of the pages" "What went wrong is above." node --test tests/e2e/pictures.js
  say "docs/images is made anew: look at it, and commit what has changed"
}
