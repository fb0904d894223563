// A peer for `./dev bench --peers`: npm `socket.io` with WebSockets alone, rooms for topics and nothing else: no
// history, no offsets, no permissions. One line: where it listens.
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const http = createServer();
const io = new Server(http, { transports: ['websocket'], perMessageDeflate: false, serveClient: false });

io.on('connection', (socket) => {
  socket.on('subscribe', (topic) => {
    socket.join(topic);
    socket.emit('subscribed', topic);
  });
  socket.on('publish', (topic, payload) => {
    io.to(topic).emit('message', { topic, payload, epoch: '0123456789abcdef', offset: 123456, sent_at: 1700000000000 });
  });
});

http.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${http.address().port}`));
