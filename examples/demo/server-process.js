// Runs the example server for as long as the demo that started it lives, however that ends.

process.on('disconnect', () => process.exit());
await import('../server/server.js');
