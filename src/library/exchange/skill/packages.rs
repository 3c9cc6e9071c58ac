//! Which package a module comes from, where it is called otherwise.

/// Modules and their packages.
const OTHERWISE: [(&str, &str); 38] = [
    ("Bio", "biopython"),
    ("Crypto", "pycryptodome"),
    ("OpenSSL", "pyopenssl"),
    ("PIL", "pillow"),
    ("attr", "attrs"),
    ("bs4", "beautifulsoup4"),
    ("cairosvg", "CairoSVG"),
    ("cv2", "opencv-python"),
    ("dateutil", "python-dateutil"),
    ("discord", "discord.py"),
    ("docx", "python-docx"),
    ("dotenv", "python-dotenv"),
    ("fitz", "pymupdf"),
    ("flask_cors", "flask-cors"),
    ("git", "gitpython"),
    ("github", "pygithub"),
    ("googleapiclient", "google-api-python-client"),
    ("igraph", "python-igraph"),
    ("jose", "python-jose"),
    ("jwt", "pyjwt"),
    ("ldap3", "ldap3"),
    ("levenshtein", "levenshtein"),
    ("magic", "python-magic"),
    ("markdown_it", "markdown-it-py"),
    ("multipart", "python-multipart"),
    ("mysql", "mysql-connector-python"),
    ("nacl", "pynacl"),
    ("pdf2image", "pdf2image"),
    ("pptx", "python-pptx"),
    ("psycopg2", "psycopg2-binary"),
    ("pythoncom", "pywin32"),
    ("serial", "pyserial"),
    ("skimage", "scikit-image"),
    ("sklearn", "scikit-learn"),
    ("slugify", "python-slugify"),
    ("usb", "pyusb"),
    ("yaml", "pyyaml"),
    ("zmq", "pyzmq"),
];

/// The package that has `module`.
pub fn package_of(module: &str) -> &str {
    OTHERWISE.iter().find(|(name, _)| *name == module).map_or(module, |(_, package)| package)
}
