// Loaded ahead of a program of the README (node --require), which runs unchanged but for this: it listens on the
// loopback interface alone, tells the test on which port, and ends with the test, however that ends.

'use strict';

const { Server } = require('node:net');

const { listen } = Server.prototype;

Server.prototype.listen = function listenOnLoopback(port) {
  this.once('listening', () => process.send({ port: this.address().port }));
  return listen.call(this, { port, host: '127.0.0.1' });
};

process.on('disconnect', () => process.exit());
process.channel.unref(); // a program that ends by itself may
