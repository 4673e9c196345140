// Long enough to become smaller when it is compressed: compressed, compressed, compressed, compressed, compressed.
document.title = 'seen';
