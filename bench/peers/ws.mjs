// A peer for `./dev bench --peers`: npm `ws` on Node, from tests/e2e/node_modules, with the
// same two jobs as floor/echo and floor/fanout and nothing else. One line: where it listens.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../tests/e2e/package.json', import.meta.url));
const { WebSocketServer } = require('ws');

const http = createServer();
const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
const subscribers = new Set();

sockets.on('connection', (socket, request) => {
  socket.on('error', () => {});
  socket.on('close', () => subscribers.delete(socket));
  if (request.url === '/echo') return void socket.on('message', (data, binary) => socket.send(data, { binary }));
  socket.on('message', (data) => {
    const frame = JSON.parse(data);
    if (frame.type === 'ping') return void socket.send('{"type":"pong"}');
    if (frame.type === 'subscribe') {
      subscribers.add(socket);
      return void socket.send('{"type":"subscription_confirmed"}');
    }
    const text = JSON.stringify({ type: 'message', topic: frame.topic, payload: frame.payload, epoch: '0123456789abcdef',
                                  offset: 123456, sent_at: 1700000000000 });
    for (const each of subscribers) each.send(text);
    if (frame.id) {
      socket.send(JSON.stringify({ type: 'ack', id: frame.id, delivered_to: subscribers.size, queued: 0,
                                   epoch: '0123456789abcdef', offset: 123456 }));
    }
  });
});

http.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${http.address().port}`));
