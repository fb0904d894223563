// Topics and patterns: segments between dots; `*` is one segment, `>` one or more at the end.

export const isPattern = (topic: string): boolean => /(^|\.)(\*(\.|$)|>$)/.test(topic);

/** Whether a topic lies in a pattern; a name lies in itself alone. */
export function matches(pattern: string, topic: string): boolean {
  if (pattern === topic) return true;
  // What begins with $ or `system.` is the server's own, and no wildcard at the beginning reaches it.
  if (/^(\$|system\.)/.test(topic) && /^[*>]/.test(pattern)) return false;
  const wanted = pattern.split('.');
  const segments = topic.split('.');
  for (let at = 0; at < wanted.length; ++at) {
    if (at >= segments.length) return false;
    if (wanted[at] === '>' && at === wanted.length - 1) return true;
    if (wanted[at] !== '*' && wanted[at] !== segments[at]) return false;
  }
  return wanted.length === segments.length;
}
