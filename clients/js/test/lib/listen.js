// What a subscription tells, noted for a test.

/// All that one subscription tells, as short texts in order: `5`, `gap 3-4 overflow`, `lost epoch`.
export function listen(world, topic, options) {
  const log = [];
  const subscription = world.client.subscribe(topic, {
    message: ({ topic: of, offset }) => log.push(of === topic ? `${offset}` : `${of} ${offset}`),
    gap: ({ from, to, reason }) => log.push(`gap ${from}-${to} ${reason}`),
    lost: ({ reason }) => log.push(`lost ${reason}`),
    unsubscribed: ({ reason }) => log.push(`unsubscribed ${reason}`),
    subscribed: ({ recovered, resumed }) => log.push(resumed ? 'resumed' : recovered ? 'recovered' : 'subscribed'),
    presence: ({ joined, left }) => log.push(`+${joined} -${left}`),
  }, options);
  return Object.assign(log, { subscription });
}

export const gap = (topic, from, to, more = {}) => ({ type: 'gap', topic, epoch: 'e', from, to, reason: 'overflow', ...more });
export const restarted = (...topics) => ({ type: 'restarted', topics: topics.map((each) => ({ recovered: false, ...each })) });
