// What the types promise to a user, and what they refuse; compiled by js_client/types, never run.
import { Client, TroupeError, type Gap, type History, type Lost, type Message, type Position, type Subscription } from 'troupe-client';

interface Price { readonly tea: number }

const client = new Client('/ws', { WebSocket, token: async ({ fresh }) => (fresh ? 'new' : null), backoff: { maxMs: 1000 } });
const off: () => void = client.on('lost', ({ reason, before }: Lost) => console.log(reason, before));
client.on('state', ({ state, retryInMs }) => { if (state === 'waiting') console.log(retryInMs); });
off();

const subscription: Subscription = client.subscribe<Price>('prices', {
  message: ({ payload, offset }: Message<Price>) => console.log(payload.tea + offset),
  gap: ({ from, to }: Gap) => console.log(to - from),
}, { overflow: 'latest' });
const { position } = subscription;
client.subscribe('prices', () => {}, position ? { recover: position } : {});

export async function use(): Promise<Position> {
  const history: History<Price> = client.history<Price>('prices', { limit: 5 });
  for await (const { payload } of history) console.log(payload.tea);
  try {
    const { topic = 'prices', ...position } = await client.publish('prices', Uint8Array.of(1), { excludeSelf: true, idempotencyKey: false });
    console.log(topic.length);
    return position;
  } catch (error) {
    if (error instanceof TroupeError && error.code === 'buffer_full') console.log(error.retryAfterMs);
    throw error;
  }
}

// @ts-expect-error there is no such event
client.on('closed', () => {});
// @ts-expect-error nor such a policy
client.subscribe('a', () => {}, { overflow: 'never' });
// @ts-expect-error nor such a price
client.subscribe<Price>('a', ({ payload }) => console.log(payload.coffee));
// @ts-expect-error a token is a text
new Client('/ws', { token: 5 });
// @ts-expect-error what is no socket cannot connect
new Client('/ws', { WebSocket: Date });
