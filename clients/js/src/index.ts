// What a user of the client imports.

export { Client } from './client.js';
export type { ClientOptions, DirectAck, Events, Info, PublishAck, PublishOptions, Welcome } from './client.js';
export { TroupeError } from './error.js';
export type { ErrorCode } from './error.js';
export type { History, HistoryOptions } from './history.js';
export type { Direct, DirectHandler } from './inbox.js';
export type { State, StateEvent, TokenSource, WebSocketConstructor, WebSocketLike } from './link.js';
export type { MembersChange, PresencePage } from './members.js';
export type { Position } from './position.js';
export type { Gap, Handlers, Lost, Message, PresenceChange, Shards, SubscribeOptions } from './subscription.js';
export type { Subscription } from './subscriptions.js';
