// Listens with the shortest queue there is, says where, and is then frozen by the test: once the queue is
// full the system drops every further connection without a word, as a lost network does.
import { createServer } from 'node:net';

const server = createServer();
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port));
