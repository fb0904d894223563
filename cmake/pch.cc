// The one translation unit that the precompiled header is built for; it holds no code.
