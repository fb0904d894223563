# shellcheck shell=bash
# The JavaScript client: what its TypeScript compiles to, and the demo page's copy of that in one file.

# Compiles clients/js to dist, and makes the file that the demo page is served with.
client() {
  need client
  need_npm clients/js
  step "compiling clients/js" "The first error is above." client_compile
  say "clients/js/dist is made, and troupe/app/demo/troupe.js: commit that one"
}

client_compile() {
  (cd clients/js && node node_modules/typescript/bin/tsc && node node_modules/typescript/bin/tsc -p tsconfig.bundle.json &&
    node bundle.js build ../../troupe/app/demo/troupe.js)
}
